/** Verifying a license beside the raw signature checks that it cannot do without, and beside jose on an equal JWT. */
import { createPublicKey, verify as nodeVerify, type KeyObject } from 'node:crypto';
import { generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { COMPOSITE_LABEL, compositeMessage, splitCompositeSignature } from '../../keys/public/composite.ts';
import { exportPublicKey } from '../../keys/public/encodings/public-key-file.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { nodeProvider } from '../../keys/public/provider-node.ts';
import { makeTrust } from '../../verifier/trust.ts';
import { verify } from '../../verifier/verify.ts';
import { EXAMPLE, freshKey, signExample } from './example.ts';
import { takeTurns, type Loop } from './measure.ts';
import type { Part } from './report.ts';

function check(ok: boolean): void {
  if (!ok) throw new Error('a measured verification failed');
}

/** The license's claims as a JWT says them. */
function claims(): Record<string, unknown> {
  const { cti, nbf, exp, iat, iss, sub, aud, ...rest } = EXAMPLE;
  return { iss, sub, aud, nbf, exp, iat, jti: cti, ...rest };
}

async function jwtLoop(name: string, algorithm: string): Promise<Loop> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const token = await new SignJWT(claims())
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid: 'k' })
    .sign(privateKey);
  const options = {
    issuer: EXAMPLE.iss,
    audience: EXAMPLE.aud,
    algorithms: [algorithm],
    currentDate: new Date((EXAMPLE.nbf + 1) * 1000),
  };
  return {
    name,
    run: async (count) => {
      for (let i = 0; i < count; i++) await jwtVerify(token, publicKey, options);
    },
  };
}

function pemKeys(key: SigningKey): KeyObject[] {
  const pem = Buffer.from(exportPublicKey(key.publicKey, 'pem')).toString('utf8');
  return [...pem.matchAll(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g)].map(([block]) =>
    createPublicKey(block),
  );
}

export async function measureVerifying(): Promise<Part> {
  const composite = freshKey('ed25519+ml-dsa-65');
  const ed25519 = freshKey('ed25519');
  const [compositeLicense, ed25519License] = [await signExample(composite), await signExample(ed25519)];
  const trustOf = (key: typeof composite): ReturnType<typeof makeTrust> =>
    makeTrust({ keys: [{ key: key.publicKey, purpose: 'license', status: 'active' }] });
  const context = {
    issuer: EXAMPLE.iss,
    product: EXAMPLE.aud,
    deployment: 'prod-eu',
    now: EXAMPLE.nbf + 1,
    defaultGrace: 0,
  };
  const [compositeTrust, ed25519Trust] = [trustOf(composite), trustOf(ed25519)];

  const [mldsaRaw, ed25519RawComponent] = pemKeys(composite);
  const [ed25519Raw] = pemKeys(ed25519);
  if (mldsaRaw === undefined || ed25519RawComponent === undefined || ed25519Raw === undefined)
    throw new Error('the keys cannot be exported');
  const both = compositeMessage(compositeLicense.message, nodeProvider);
  const components = splitCompositeSignature(compositeLicense.signature);

  const loops: readonly Loop[] = [
    {
      name: 'raw node:crypto, composite (Ed25519 + ML-DSA-65)',
      run: (count) => {
        for (let i = 0; i < count; i++)
          check(
            nodeVerify(null, both, ed25519RawComponent, components.ed25519) &&
              nodeVerify(null, both, { key: mldsaRaw, context: COMPOSITE_LABEL }, components.mldsa65),
          );
      },
    },
    {
      name: 'verify() of a composite license file',
      run: (count) => {
        for (let i = 0; i < count; i++) check(verify(compositeLicense.file, compositeTrust, context).ok);
      },
    },
    {
      name: 'raw node:crypto, Ed25519',
      run: (count) => {
        for (let i = 0; i < count; i++)
          check(nodeVerify(null, ed25519License.message, ed25519Raw, ed25519License.signature));
      },
    },
    {
      name: 'verify() of an Ed25519 license file',
      run: (count) => {
        for (let i = 0; i < count; i++) check(verify(ed25519License.file, ed25519Trust, context).ok);
      },
    },
    await jwtLoop('jose jwtVerify, EdDSA', 'EdDSA'),
    await jwtLoop('jose jwtVerify, ML-DSA-65', 'ML-DSA-65'),
  ];
  const samples = await takeTurns(loops);
  const rate = (i: number): number => samples[i]?.rate ?? 0;
  const joseBoth = 1 / (1 / rate(4) + 1 / rate(5));
  return {
    name: "Verifying the design's example license",
    rows: samples.map((sample) => ({ what: sample.name, value: sample.rate, unit: 'a second' })),
    ratios: [
      { what: 'composite: verify() ÷ raw', value: rate(1) / rate(0), atLeast: 0.8 },
      { what: 'Ed25519: verify() ÷ raw', value: rate(3) / rate(2), atLeast: 0.8 },
      { what: 'Ed25519: verify() ÷ jose EdDSA', value: rate(3) / rate(4), atLeast: 1 },
      { what: 'composite: verify() ÷ jose EdDSA + ML-DSA-65', value: rate(1) / joseBoth, atLeast: 1 },
    ],
    notes: ['from file bytes to verdict; raw = the signature checks alone, keys and messages ready'],
  };
}
