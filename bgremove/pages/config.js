/** Configuration from the server: data attributes of <html>, set by the template. */

const told = document.documentElement.dataset;

/** The absolute URL for uploads; the page may be served below a prefix. */
export const endpoint = new URL(told.endpoint ?? "", document.baseURI).href;

/** The limit of a picture's size, in bytes. */
export const maxUploadBytes = Number(told.maxUploadBytes);

/** The limit of a picture's size, in pixels. */
export const maxPixels = Number(told.maxPixels);

/** The server's timeout of a request, in seconds. */
export const timeoutS = Number(told.timeoutS);

/** The server's message for an empty file, which the page refuses without sending it. */
export const required = told.required ?? "";
