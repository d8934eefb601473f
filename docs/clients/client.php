<?php
// bgremove: cut the subject out of a picture, with PHP's curl.
//
//   php client.php PICTURE RESULT [SERVER] [FIELD=VALUE ...]
//   php client.php shoe.jpg white.jpg http://127.0.0.1:8000 subject=product output_format=white_bg
//
// BGREMOVE_API_KEY in the environment is the key, where the server asks for one.
// It follows docs/openapi.json; the tests run it against a real server.

declare(strict_types=1);

/**
 * Returns the picture that is answered; throws with what the server says.
 *
 * Fields: subject (universal, human, product), output_format (transparent, white_bg, mask, crop), and
 * with white_bg for example ['background' => '#f5f5f5', 'margin' => '8%', 'canvas' => '2000x2000'].
 */
function remove_background(string $picture, string $server, ?string $key = null, array $fields = []): string
{
    if (!is_readable($picture)) {
        throw new RuntimeException("$picture cannot be read");
    }
    $request = curl_init($server . '/v1/remove-bg/universal');
    curl_setopt_array($request, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 60,
        CURLOPT_HTTPHEADER => $key ? ["X-Api-Key: $key"] : [],
        CURLOPT_POSTFIELDS => ['image' => new CURLFile($picture)] + $fields,
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

function main(array $arguments): void
{
    [$picture, $result] = $arguments + [null, null];
    if ($result === null) {
        throw new RuntimeException('usage: php client.php PICTURE RESULT [SERVER] [FIELD=VALUE ...]');
    }
    $fields = [];
    foreach (array_slice($arguments, 3) as $field) {
        [$name, $value] = explode('=', $field, 2) + [1 => ''];
        $fields[$name] = $value;
    }
    $key = getenv('BGREMOVE_API_KEY') ?: null;
    $cutout = remove_background($picture, $arguments[2] ?? 'http://127.0.0.1:8000', $key, $fields);
    if (@file_put_contents($result, $cutout) === false) {
        throw new RuntimeException(error_get_last()['message']);
    }
}

if (realpath($_SERVER['SCRIPT_FILENAME'] ?? '') === __FILE__) {
    try {
        main(array_slice($argv, 1));
    } catch (RuntimeException $error) {
        fwrite(STDERR, $error->getMessage() . "\n");
        exit(1);
    }
}
