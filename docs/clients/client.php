<?php
// bgremove: cut the subject out of a picture, with PHP's curl.
//
//   php client.php PICTURE RESULT [SERVER]
//
// BGREMOVE_API_KEY in the environment is the key, where the server asks for one.
// It follows docs/openapi.json; the tests run it against a real server.

declare(strict_types=1);

/** Returns the picture that is answered; throws with what the server says. */
function remove_background(string $picture, string $server, ?string $key = null): string
{
    if (!is_readable($picture)) {
        throw new RuntimeException("$picture cannot be read");
    }
    $request = curl_init($server . '/v1/remove-bg/universal');
    curl_setopt_array($request, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 60,
        CURLOPT_HTTPHEADER => $key ? ["X-RapidAPI-Key: $key"] : [],
        CURLOPT_POSTFIELDS => [
            'image' => new CURLFile($picture),
            'subject' => 'product', // universal, human, product
            'output_format' => 'white_bg', // transparent, white_bg, mask, crop
            // 'background' => '#f5f5f5', 'margin' => '8%', 'canvas' => '2000x2000',
        ],
    ]);
    $body = curl_exec($request);
    if ($body === false) {
        throw new RuntimeException(curl_error($request));
    }
    $status = curl_getinfo($request, CURLINFO_RESPONSE_CODE);
    if ($status !== 200) {
        throw new RuntimeException("$status " . explanation($body));
    }
    return $body;
}

/** Returns what the server says; of an answer that is not the server's, the beginning. */
function explanation(string $body): string
{
    $error = json_decode($body, true)['error'] ?? null;
    if (!isset($error['code'], $error['message'])) {
        return substr($body, 0, 200);
    }
    return "{$error['code']}: {$error['message']}";
}

try {
    $key = getenv('BGREMOVE_API_KEY') ?: null;
    $cutout = remove_background($argv[1], $argv[3] ?? 'http://127.0.0.1:8000', $key);
    if (@file_put_contents($argv[2], $cutout) === false) {
        throw new RuntimeException(error_get_last()['message']);
    }
} catch (RuntimeException $error) {
    fwrite(STDERR, $error->getMessage() . "\n");
    exit(1);
}
