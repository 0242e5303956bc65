/**
 * Reads codes in pictures, apart from the page. The first message says where the reader and its program lie; then one answer for each
 * picture: {text, took}, the time in milliseconds. Its own reply's policy allows the program to be compiled; the page's does not.
 */
/* global self, importScripts, performance, ZXingWASM */
"use strict";

if (!Object.hasOwn) Object.hasOwn = (object, name) => Object.prototype.hasOwnProperty.call(object, name);

const OPTIONS = { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 1 };

self.onmessage = async (event) => {
  const { reader, program, picture } = event.data;
  try {
    if (reader) {
      importScripts(reader);
      await ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => program }, fireImmediately: true });
      self.postMessage({ ready: true });
      return;
    }
    const began = performance.now();
    const found = await ZXingWASM.readBarcodes(picture, OPTIONS);
    const code = found.find((one) => one.isValid && one.text);
    self.postMessage({ text: code ? code.text : "", took: performance.now() - began });
  } catch (error) {
    self.postMessage({ failed: String(error) });
  }
};
