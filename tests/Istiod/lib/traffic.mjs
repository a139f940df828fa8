export const cases = {};
export async function run() {}
