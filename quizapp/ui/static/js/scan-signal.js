/**
 * Sound and vibration of a scan: told apart with the phone in the pocket. Tones are made, not fetched. Browsers let a page sound only
 * after somebody touched it.
 */

/** Outcome → tones: [frequency, begin, length] in hertz and seconds. @type {Record<string, [number, number, number][]>} */
const TONES = {
  in: [[880, 0, 0.09], [1320, 0.09, 0.14]],
  out: [[1320, 0, 0.09], [880, 0.09, 0.14]],
  again: [[520, 0, 0.1], [520, 0.16, 0.1]],
  foreign: [[196, 0, 0.4]],
  ask: [[660, 0, 0.1], [660, 0.15, 0.1], [990, 0.3, 0.16]],
  undone: [[440, 0, 0.12]],
};
/** @type {Record<string, number[]>} */
const BUZZ = {
  in: [120],
  out: [120],
  again: [60, 60, 60],
  foreign: [100, 50, 100],
  ask: [250],
  undone: [40],
};

/** @type {AudioContext | null} */
let context = null;

/** Get leave to sound; to be called in a touch or a key press. */
export function unlock() {
  const Context = window.AudioContext || /** @type {any} */ (window).webkitAudioContext;
  try {
    if (!context && Context) context = new Context();
    if (context && context.state === "suspended") context.resume().catch(() => undefined);
  } catch (error) {
    context = null;
  }
}

/** @param {string} outcome */
export function signal(outcome) {
  if (navigator.vibrate) navigator.vibrate(BUZZ[outcome] || []);
  const sounding = context;
  if (!sounding) return;
  for (const [frequency, begin, length] of TONES[outcome] || []) {
    const tone = sounding.createOscillator();
    const loudness = sounding.createGain();
    const start = sounding.currentTime + begin;
    tone.frequency.value = frequency;
    tone.type = outcome === "foreign" ? "square" : "sine";
    loudness.gain.setValueAtTime(0.5, start);
    loudness.gain.linearRampToValueAtTime(0, start + length);
    tone.connect(loudness);
    loudness.connect(sounding.destination);
    tone.start(start);
    tone.stop(start + length);
  }
}
