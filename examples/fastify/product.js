/**
 * What the product answers. Each answer reads `license.entitlements` anew, so that a renewal counts from the next
 * request on. Nothing that a customer has is taken away: beyond the seats only new users are refused.
 */
export function vaultdesk(license, storage) {
  return {
    entitlements: async () => {
      const { tier, seats, features, limits, source } = license.entitlements;
      return { status: 200, body: { state: license.state, tier, seats, features, limits, source } };
    },
    users: async () => ({ status: 200, body: await storage.users() }),
    addUser: async (name) => {
      if (typeof name !== 'string' || !/^[\w.@-]{1,64}$/.test(name))
        return { status: 400, body: { error: 'name should be 1 to 64 letters, digits or . @ _ -' } };
      const { tier, seats } = license.entitlements;
      if (await storage.addUser(name, seats)) return { status: 201, body: { name } };
      return { status: 402, body: { error: `all ${seats} seats of the tier ${tier} are used` } };
    },
    auditExport: async () => {
      const { tier, features } = license.entitlements;
      if (!features.includes('audit-export'))
        return { status: 402, body: { error: `the tier ${tier} has no audit-export` } };
      return { status: 200, body: { users: await storage.users() } };
    },
  };
}
