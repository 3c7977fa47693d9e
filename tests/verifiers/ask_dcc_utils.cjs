// Texts and signers in, one answer each out. The packages are not ours; they are where argv says.
const { createRequire } = require('node:module');
const { DCC } = createRequire(`${process.argv[2]}/x.js`)('dcc-utils');

async function answer({ text, certificate }) {
  try {
    const dcc = await DCC.fromRaw(text);
    const checked = await dcc.checkSignatureWithCertificate(certificate);
    return checked ? `accepted ${dcc.payload.nam.fnt}` : 'refused: the signature does not hold';
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
