/** What the server says of itself: data attributes of <html>, filled in by the template. */

const told = document.documentElement.dataset;

/** The URL that pictures are sent to, whole: the page may be served below a prefix. */
export const endpoint = new URL(told.endpoint ?? "", document.baseURI).href;

/** Bytes of the largest picture that is accepted. */
export const maxUploadBytes = Number(told.maxUploadBytes);

/** Pixels of the largest picture that is accepted. */
export const maxPixels = Number(told.maxPixels);

/** Seconds that the server gives itself for a request. */
export const timeoutS = Number(told.timeoutS);

/** The server's own sentences for files that need not be sent to be refused. */
export const sentences = {
  required: told.required ?? "",
  tooLarge: told.tooLarge ?? "", // with {size} and {limit}
};
