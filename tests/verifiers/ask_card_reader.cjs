// SMART Health Cards and their issuer's published keys in, one answer each out.
const { createRequire } = require('node:module');
const { SHCReader, Directory } = createRequire(`${process.argv[2]}/x.js`)('kill-the-clipboard');

async function answer({ text, issuer, keys, crls }) {
  try {
    const issuerDirectory = Directory.fromJSON({ issuerInfo: [{ issuer: { iss: issuer, name: 'Clinic' }, keys, crls }] });
    const reader = new SHCReader({ issuerDirectory, publicKey: keys[0] });
    const card = await reader.fromQRNumeric(text);
    const bundle = await card.asBundle();
    const of = (kind) => bundle.entry.map((entry) => entry.resource).filter((r) => r.resourceType === kind);
    return `accepted ${of('Patient')[0].name[0].family} ${of('Immunization').length}`;
  } catch (error) {
    return `refused ${error.name}: ${error.message}`;
  }
}

async function main() {
  const cases = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
  const answers = [];
  for (const one of cases) answers.push(await answer(one));
  process.stdout.write(`${JSON.stringify(answers)}\n`);
}

main();
