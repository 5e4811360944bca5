// The seed of everything random in a test run: HELIX_SEED, or another each time. Printed, so that a failure can be had again.
import fc from 'fast-check';

export const seed = Number(process.env.HELIX_SEED ?? Math.floor(Math.random() * 2 ** 31));

console.log(`seed ${seed} (HELIX_SEED)`);
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
