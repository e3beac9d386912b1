// A QR code, drawn from the modules that the service returns.

import { drawing } from "./dom.js";

// ISO/IEC 18004: a quiet zone of four modules around the code.
const QUIET = 4;

// `rows` are strings of 0 and 1, 1 for a dark module.  It is dark on light in both colour schemes: many phones
// read it only so.
export function qrCode(rows, title) {
  const whole = rows.length + 2 * QUIET;
  const dark = rows.flatMap((row, y) => [...row].map((module, x) => (module === "1" ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")));
  return drawing(title, "qr", [["qr-light", `M0 0h${whole}v${whole}H0z`], ["qr-dark", dark.join("")]], whole);
}
