//! What a provider's claims mean here.

use super::id_token::Claims;
use crate::accounts::fields::{self, is_name};
use crate::accounts::identities::{ForeignIdentity, WantedRole};
use crate::config::OidcProvider;
use crate::config::oidc::RoleRule;
use serde_json::Value;

/// Who is there, as `provider` says it.
pub(super) fn identity(provider: &OidcProvider, claims: &Claims) -> ForeignIdentity {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let verified = match claims.get("email_verified") {
        Some(Value::Bool(verified)) => *verified,
        // Some write it as a text.
        Some(Value::String(text)) => text == "true",
        _ => false,
    };
    let names = [text("name"), text("preferred_username")];
    ForeignIdentity {
        provider: provider.id.clone(),
        issuer: provider.issuer.as_str().to_owned(),
        subject: text("sub").unwrap_or_default().to_owned(),
        email: text("email").and_then(|email| fields::email(email).ok()),
        email_verified: verified,
        display_name: names.into_iter().flatten().find(|name| is_name(name)).map(str::to_owned),
        second_factor: counts_as_second_factor(provider, claims),
        roles: provider
            .roles
            .iter()
            .filter(|rule| holds(rule, claims))
            .map(|rule| WantedRole { role: rule.role, organization: rule.organization.clone() })
            .collect(),
    }
}

/// Is there more to ask for, at the provider's userinfo endpoint?
pub(super) fn lacks(provider: &OidcProvider, claims: &Claims) -> bool {
    let asks_email = provider.scopes.iter().any(|scope| scope == "email");
    asks_email && !claims.contains_key("email")
        || provider.roles.iter().any(|rule| at(claims, &rule.claim).is_none())
}

fn counts_as_second_factor(provider: &OidcProvider, claims: &Claims) -> bool {
    let amr = provider.mfa_amr.iter().any(|word| has(claims.get("amr"), word));
    let acr = provider.mfa_acr.iter().any(|value| has(claims.get("acr"), value));
    amr || acr
}

fn holds(rule: &RoleRule, claims: &Claims) -> bool {
    has(at(claims, &rule.claim), &rule.value)
}

/// A text, or one of a list of texts.
fn has(claim: Option<&Value>, wanted: &str) -> bool {
    match claim {
        Some(Value::String(text)) => text == wanted,
        Some(Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(wanted)),
        _ => false,
    }
}

/// Claims are called by addresses too, so a name with dots is looked for whole at first.
fn at<'a>(claims: &'a Claims, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |value, part| value.get(part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_claim_is_found_by_its_whole_name_or_through_objects() {
        let Value::Object(claims) = json!({
            "groups": ["a", "b"],
            "https://example.org/team": "ops",
            "realm_access": { "roles": ["fleet"] },
        }) else {
            unreachable!()
        };
        for (claim, value, held) in [
            ("groups", "b", true),
            ("groups", "c", false),
            ("https://example.org/team", "ops", true),
            ("realm_access.roles", "fleet", true),
            ("realm_access.others", "fleet", false),
            ("realm_access", "fleet", false),
        ] {
            assert_eq!(has(at(&claims, claim), value), held, "{claim} {value}");
        }
    }
}
