// Starts Swagger UI on the OpenAPI document of this server.
const { SwaggerUIBundle } = /** @type {any} */ (window);

// Swagger UI fills optional text fields with this word; nobody means it.
const UNTOUCHED = "string";

/** @param {any} request of Swagger UI, before it is sent */
function withoutUntouched(request) {
  if (request.body instanceof FormData) {
    for (const [name, value] of [...request.body]) if (value === UNTOUCHED) request.body.delete(name);
  }
  return request;
}

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  requestInterceptor: withoutUntouched,
  validatorUrl: null, // sends no requests to another host
});
