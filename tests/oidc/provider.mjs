// An identity provider on a loopback port for the tests: three people, two of them in groups, and no pages at all:
// whoever a request names in `login_hint`, or else Mira, is signed in and has consented.
import { Provider } from 'oidc-provider';

const [port, redirectUri, issuer] = process.argv.slice(2);

const PEOPLE = {
  'sub-mira': { preferred_username: 'mira', name: 'Mira Okafor', email: 'mira@example.org', email_verified: true, groups: ['auditors', 'staff'] },
  'sub-tom': { preferred_username: 'tom', name: 'Tom Berg', email: 'tom@example.org', email_verified: true, groups: [] },
  'sub-eve': { preferred_username: 'ana', name: 'Eve', email: 'ana@example.org', email_verified: false, groups: ['staff'] },
};
const groups = new Map(Object.entries(PEOPLE).map(([subject, claims]) => [subject, claims.groups]));

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'tallystick',
      client_secret: 'a secret that only this test knows',
      redirect_uris: [redirectUri],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      id_token_signed_response_alg: 'RS256',
    },
  ],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username', 'groups'] },
  conformIdTokenClaims: false,
  cookies: { keys: ['only for tests'] },
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  async findAccount(ctx, subject) {
    if (!(subject in PEOPLE)) return undefined;
    return {
      accountId: subject,
      claims: async () => ({ sub: subject, ...PEOPLE[subject], groups: groups.get(subject) }),
    };
  },
});

provider.use(async (ctx, next) => {
  if (ctx.path.startsWith('/interaction/')) {
    const details = await provider.interactionDetails(ctx.req, ctx.res);
    const accountId = details.params.login_hint ?? 'sub-mira';
    const grant = new provider.Grant({ accountId, clientId: details.params.client_id });
    grant.addOIDCScope(details.params.scope);
    const result = { login: { accountId }, consent: { grantId: await grant.save() } };
    await provider.interactionFinished(ctx.req, ctx.res, result);
    return;
  }
  if (ctx.method === 'PUT' && ctx.path.startsWith('/test-groups/')) {
    const chunks = [];
    for await (const chunk of ctx.req) chunks.push(chunk);
    groups.set(ctx.path.slice('/test-groups/'.length), JSON.parse(Buffer.concat(chunks)));
    ctx.status = 204;
    return;
  }
  await next();
});

const server = provider.listen(Number(port), '127.0.0.1', () => console.log(`listening ${server.address().port}`));
