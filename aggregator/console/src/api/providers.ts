/** Signing in elsewhere: whom one may sign in with, and what a provider sent the browser back with. */
import type { SignInProvider } from "./types";

export type Returned =
  | { kind: "code"; code: string }
  | { kind: "refused"; reason: string }
  | { kind: "linked"; provider: string };

/** What stands in the page's fragment after a visit to a provider; `null` where it is a place. */
export function returned(hash: string): Returned | null {
  const [, name, value = ""] = /^#(oidc_\w+)=([\w.-]*)$/.exec(hash) ?? [];
  switch (name) {
    case "oidc_code":
      return { kind: "code", code: value };
    case "oidc_error":
      return { kind: "refused", reason: sentence(value) };
    case "oidc_linked":
      return { kind: "linked", provider: value };
    default:
      return null;
  }
}

/** Those with a button; none where the server does not say. */
export async function providers(get: (path: string) => Promise<unknown>): Promise<SignInProvider[]> {
  try {
    const answer = (await get("/api/v1/auth/providers")) as { data: SignInProvider[] };
    return answer.data;
  } catch {
    // The password's form is there all the same, and says what is wrong where it is tried.
    return [];
  }
}

function sentence(slug: string): string {
  switch (slug) {
    case "provider_refused":
      return "The provider did not let you in. Try again.";
    case "id_token_refused":
      return "The provider's answer does not hold. Tell an administrator; the server's log says why.";
    case "provider_unavailable":
      return "The provider cannot be reached now. Try again in a moment.";
    case "invalid_state":
      return "This sign-in has expired or was begun in another browser. Begin again.";
    case "identity_unknown":
    case "invitation_required":
      return "You have no account here. Ask for one, or for an invitation.";
    case "email_unverified":
      return "The provider has not verified your e-mail address.";
    case "identity_unlinked":
      return "Your address has an account here that is not linked with this provider. Sign in with its password.";
    case "identity_taken":
      return "This identity belongs to another account.";
    case "account_inactive":
      return "The account is disabled.";
    default:
      return "Signing in failed. Try again.";
  }
}
