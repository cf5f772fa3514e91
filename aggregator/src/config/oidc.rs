//! Providers of OpenID Connect: who may sign in with one, and what its claims give.

use crate::access::Role;
use crate::config::Config;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

const MAX_ID: usize = 32;
/// Each has a button on the sign-in page.
const MAX_PROVIDERS: usize = 16;

/// One provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcProvider {
    /// Its name in addresses: lower-case letters, digits and hyphens.
    pub id: String,
    /// What the button says.
    pub title: String,
    pub issuer: Issuer,
    pub client_id: String,
    /// A file whose first line is the secret, below `STATE` where it is relative. Without it this
    /// is a public client.
    pub client_secret_file: Option<PathBuf>,
    /// Certificates, as PEM, of the authorities that the provider's own is of, instead of the
    /// public ones.
    pub ca_file: Option<PathBuf>,
    /// Asked for besides `openid`.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// Who gets an account that has none here.
    #[serde(default)]
    pub create: Create,
    /// The domains of the addresses that `create = "anyone"` means.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Does an address that the provider has verified open the account with that same verified
    /// address? Else who has the account links the identity.
    #[serde(default)]
    pub link_verified_email: bool,
    /// Words of `amr` that count as a second factor.
    #[serde(default)]
    pub mfa_amr: Vec<String>,
    /// Values of `acr` that count as a second factor.
    #[serde(default)]
    pub mfa_acr: Vec<String>,
    #[serde(default)]
    pub roles: Vec<RoleRule>,
    /// Is there a way to sign out at the provider too?
    #[serde(default)]
    pub logout: bool,
}

fn default_scopes() -> Vec<String> {
    ["email", "profile"].map(str::to_owned).to_vec()
}

/// Who gets an account at the first sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Create {
    #[default]
    Never,
    /// Whose address an open invitation names; its role comes with it.
    Invited,
    /// Whose address lies in one of `domains`.
    Anyone,
}

/// A claim's value and the role that it gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRule {
    /// A text or a list of texts; dots lead into objects.
    pub claim: String,
    pub value: String,
    pub role: Role,
    /// The id or the name of an organization that the role is over; the account's own role where
    /// absent.
    pub organization: Option<String>,
}

/// The issuer's address, by HTTPS; on loopback also by HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Issuer(String);

impl Issuer {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Issuer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let plain = !text.contains(['?', '#', '@']);
        if plain && is_protected(&text) {
            return Ok(Self(text));
        }
        Err(format!("`{text}` is no issuer: that is an https address, or http on loopback"))
    }
}

impl From<Issuer> for String {
    fn from(issuer: Issuer) -> Self {
        issuer.0
    }
}

/// HTTPS, or HTTP to this very machine.
pub(crate) fn is_protected(text: &str) -> bool {
    let uri: Option<ureq::http::Uri> = text.parse().ok();
    uri.is_some_and(|uri| match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(host)) => !host.is_empty(),
        (Some("http"), Some(host)) => matches!(host, "localhost" | "127.0.0.1" | "[::1]"),
        _ => false,
    })
}

/// What is wrong with them together.
pub(super) fn fault(config: &Config) -> Option<String> {
    let providers = &config.oidc;
    if !cfg!(feature = "oidc") && !providers.is_empty() {
        return Some("this program was built without OpenID Connect: leave [[oidc]] out".into());
    }
    if !providers.is_empty() && config.public_url.is_none() && !config.api.ip().is_loopback() {
        return Some(
            "[[oidc]] needs public_url, the address that browsers use: providers lead back there"
                .into(),
        );
    }
    if providers.len() > MAX_PROVIDERS {
        return Some(format!("there are more than {MAX_PROVIDERS} [[oidc]] sections"));
    }
    let (mut ids, mut issuers) = (BTreeSet::new(), BTreeSet::new());
    providers.iter().find_map(|provider| {
        let id = &provider.id;
        if !ids.insert(id) {
            return Some(format!("two providers of [[oidc]] are called `{id}`"));
        }
        if !issuers.insert(provider.issuer.as_str()) {
            return Some(format!("oidc `{id}`: another provider has the same issuer"));
        }
        provider.fault().map(|fault| format!("oidc `{id}`: {fault}"))
    })
}

impl OidcProvider {
    fn fault(&self) -> Option<&'static str> {
        let is_id = (1..=MAX_ID).contains(&self.id.len())
            && self.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let is_scope = |scope: &String| {
            !scope.is_empty() && scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
        };
        if !is_id {
            Some("id has 1 to 32 lower-case letters, digits and hyphens")
        } else if self.title.trim().is_empty() || self.client_id.is_empty() {
            Some("title and client_id can't be empty")
        } else if !self.scopes.iter().all(is_scope) {
            Some("a scope is a word without blanks")
        } else if self.create == Create::Anyone && self.domains.is_empty() {
            Some("create = \"anyone\" needs domains, such as [\"example.org\"]")
        } else if self.roles.iter().any(|rule| rule.claim.is_empty()) {
            Some("a rule of roles needs a claim")
        } else if self.roles.iter().any(RoleRule::is_too_wide) {
            Some("the role superuser is over everything: leave organization out")
        } else {
            None
        }
    }
}

impl RoleRule {
    fn is_too_wide(&self) -> bool {
        self.organization.is_some() && self.role == Role::Superuser
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Flags};

    fn loaded(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("aggregator.toml"), text).unwrap();
        Config::load(folder.path(), &Flags::default())
            .map_err(|error| crate::resilience::chain(&error))
    }

    fn section(id: &str, issuer: &str, more: &str) -> String {
        format!(
            "[[oidc]]\nid = \"{id}\"\ntitle = \"T\"\nissuer = \"{issuer}\"\nclient_id = \"c\"\n{more}\n"
        )
    }

    #[cfg(feature = "oidc")]
    #[test]
    fn a_provider_needs_few_words_and_whoever_has_no_account_gets_none() {
        let config = loaded(&section("staff", "https://id.example.org", "")).unwrap();
        assert_eq!(config.oidc[0].scopes, ["email", "profile"]);
        assert_eq!(config.oidc[0].create, super::Create::Never);
        assert!(!config.oidc[0].link_verified_email);
    }

    #[cfg(feature = "oidc")]
    #[test]
    fn a_faulty_provider_is_refused_by_its_name_and_fault() {
        let https = "https://id.example.org";
        let rule =
            |words: &str| format!("[[oidc.roles]]\nclaim = \"groups\"\nvalue = \"a\"\n{words}");
        for (text, said) in [
            (section("a", "http://id.example.org", ""), "https address"),
            (section("a", "https://id.example.org?x=1", ""), "no issuer"),
            (section("A b", https, ""), "lower-case letters"),
            (section("a", https, "create = \"anyone\""), "needs domains"),
            (section("a", https, "") + &section("a", "https://b.example.org", ""), "called `a`"),
            (section("a", https, "") + &section("b", https, ""), "same issuer"),
            (section("a", https, "secret = \"x\""), "secret"),
            (section("a", https, &rule("role = \"root\"")), "root"),
            (
                section("a", https, &rule("role = \"superuser\"\norganization = \"Acme\"")),
                "over everything",
            ),
        ] {
            let refusal = loaded(&text).unwrap_err();
            assert!(refusal.contains(said), "{refusal}");
        }
        assert!(loaded(&section("a", "http://127.0.0.1:4000/realm", "")).is_ok());
    }

    #[cfg(feature = "oidc")]
    #[test]
    fn browsers_have_to_know_where_to_come_back_to() {
        let section = section("a", "https://id.example.org", "");
        let open = "api = \"0.0.0.0:8766\"\n";
        let refusal = loaded(&format!("{open}{section}")).unwrap_err();
        assert!(refusal.contains("public_url"), "{refusal}");
        let named = format!("{open}public_url = \"https://fleet.example.org/\"\n{section}");
        assert_eq!(loaded(&named).unwrap().public_url(), "https://fleet.example.org");
    }

    #[cfg(not(feature = "oidc"))]
    #[test]
    fn a_program_without_it_says_so() {
        let refusal = loaded(&section("a", "https://id.example.org", "")).unwrap_err();
        assert!(refusal.contains("built without OpenID Connect"), "{refusal}");
    }
}
