// Parses AsyncAPI documents with the official parser. Each line that it reads is a document, as a JSON string; for each
// it writes one line, a JSON object: what the parser says of it, and what it found in it.

import { createInterface } from 'node:readline';
import { writeSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';

const parser = new Parser();
for await (const line of createInterface({ input: process.stdin })) {
  const { document, diagnostics } = await parser.parse(JSON.parse(line));
  const found = {
    diagnostics: diagnostics.map(({ severity, code, message, path }) => ({ severity, code, message, path })),
  };
  if (document) {
    found.channels = document.allChannels().all().map((each) => each.address());
    found.operations = document.allOperations().all().map((each) => [each.id(), each.action()]);
    found.messages = document.allMessages().all().map((each) => each.name());
  }
  writeSync(1, `${JSON.stringify(found)}\n`);
}
