// A picture small enough to be kept as one message: looked at before anything is sent, then drawn
// smaller until it fits.

const fileMax = 20 * 1024 * 1024; // bytes of a file that is worth opening
const urlMax = 58_000; // characters; the server stores up to 60,000
const sizes = [1280, 960, 720, 540, 400]; // px of the longer side
const qualities = [0.82, 0.65, 0.5];

export const pictureMegabytes = fileMax / 1024 / 1024;

export class PictureError extends Error {}

/** A data URL; throws PictureError with the code "too_large" or "unreadable". */
export async function shrink(file) {
  if (file.size > fileMax) throw new PictureError("too_large");
  const original = await createImageBitmap(file).catch(() => {
    throw new PictureError("unreadable");
  });
  try {
    // What is small already stays as it is, animations too.
    if (file.size < urlMax * 0.74 && /^image\/(png|jpeg|webp|gif)$/.test(file.type)) return await urlOf(file);
    for (const size of sizes) {
      const canvas = draw(original, size);
      for (const quality of qualities) {
        const url = await urlOf(await canvas.convertToBlob({ type: "image/webp", quality }));
        if (url.length <= urlMax) return url;
      }
    }
  } finally {
    original.close();
  }
  throw new PictureError("too_large");
}

function draw(original, size) {
  const scale = Math.min(1, size / Math.max(original.width, original.height));
  const canvas = new OffscreenCanvas(Math.max(1, original.width * scale), Math.max(1, original.height * scale));
  canvas.getContext("2d").drawImage(original, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function urlOf(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new PictureError("unreadable"));
    reader.readAsDataURL(blob);
  });
}
