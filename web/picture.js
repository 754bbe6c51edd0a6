// A picture small enough to be sent: looked at before anything leaves, then drawn smaller until it fits.

const fileMax = 20 * 1024 * 1024; // bytes of a file that is worth opening
const bytesMax = 262_144; // what the server keeps
const sideMax = 4096; // px
const sizes = [1600, 1280, 960, 720, 540]; // px of the longer side
const qualities = [0.82, 0.65, 0.5];
const shown = [480, 384]; // px: the room a picture has in the conversation

export const pictureMegabytes = fileMax / 1024 / 1024;

export class PictureError extends Error {}

/** {bytes: ArrayBuffer, type, width, height}; throws PictureError, "too_large" or "unreadable". */
export async function shrink(file) {
  if (file.size > fileMax) throw new PictureError("too_large");
  const original = await createImageBitmap(file).catch(() => {
    throw new PictureError("unreadable");
  });
  try {
    const { width, height } = original;
    // What is small already stays as it is, animations too.
    const fits = file.size <= bytesMax && Math.max(width, height) <= sideMax;
    if (fits && /^image\/(png|jpeg|webp|gif)$/.test(file.type)) return await pictureOf(file, width, height);
    for (const size of sizes) {
      const canvas = draw(original, size);
      for (const quality of qualities) {
        const blob = await encode(canvas, quality);
        if (blob.size <= bytesMax) return await pictureOf(blob, canvas.width, canvas.height);
      }
    }
  } finally {
    original.close();
  }
  throw new PictureError("too_large");
}

/** Makes room for a picture of this size before it is there. */
export function reserve(image, { width, height }) {
  if (!width || !height) return;
  const scale = Math.min(1, shown[0] / width, shown[1] / height);
  image.width = Math.max(1, Math.round(width * scale));
  image.height = Math.max(1, Math.round(height * scale));
}

function draw(original, size) {
  const scale = Math.min(1, size / Math.max(original.width, original.height));
  const canvas = new OffscreenCanvas(Math.max(1, original.width * scale), Math.max(1, original.height * scale));
  canvas.getContext("2d").drawImage(original, 0, 0, canvas.width, canvas.height);
  return canvas;
}

// Browsers that cannot write WebP write PNG instead.
async function encode(canvas, quality) {
  const blob = await canvas.convertToBlob({ type: "image/webp", quality });
  return blob.type === "image/webp" ? blob : canvas.convertToBlob({ type: "image/jpeg", quality });
}

const pictureOf = async (blob, width, height) => ({ bytes: await blob.arrayBuffer(), type: blob.type, width, height });
