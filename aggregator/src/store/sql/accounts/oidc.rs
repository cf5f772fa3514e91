//! Browsers that were sent to a provider, and those that came back. Rows past their time go when
//! the next one comes.

use crate::access::{SessionId, UserId};
use crate::accounts::identities::SignInCode;
use crate::oidc::{Linker, NewFlow};
use crate::store::StoreError;
use crate::store::sql::{Store, flag, id, id_option, ms, unsigned, word};
use sqlx::Row as _;

impl Store {
    /// Of more than `most` the oldest go: a flood of them takes as long to reach those who are
    /// at their provider now as they need to come back.
    pub(crate) async fn begin_flow(
        &self,
        flow: &NewFlow,
        most: u64,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM oidc_flows WHERE expires_at_ms <= $1")
            .bind(ms(now_ms))
            .execute(&mut *transaction)
            .await?;
        let standing: i64 = sqlx::query_scalar("SELECT count(*) FROM oidc_flows")
            .fetch_one(&mut *transaction)
            .await?;
        let too_many = (unsigned(standing) + 1).saturating_sub(most);
        if too_many > 0 {
            sqlx::query(
                "DELETE FROM oidc_flows WHERE state_hash IN
                   (SELECT state_hash FROM oidc_flows ORDER BY expires_at_ms LIMIT $1)",
            )
            .bind(ms(too_many))
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query(
            "INSERT INTO oidc_flows (state_hash, browser_hash, provider, return_to, \"user\",
               session, expires_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(flow.state_hash.as_slice())
        .bind(flow.browser_hash.as_slice())
        .bind(&flow.provider)
        .bind(&flow.return_to)
        .bind(flow.linker.map(|linker| linker.user.to_string()))
        .bind(flow.linker.map(|linker| linker.session.to_string()))
        .bind(ms(flow.expires_at_ms))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes a sign-in out, once: where it goes on, and who links an identity.
    pub(crate) async fn take_flow(
        &self,
        state_hash: &[u8; 32],
        browser_hash: &[u8; 32],
        provider: &str,
        now_ms: u64,
    ) -> Result<Option<(String, Option<Linker>)>, StoreError> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query(
            "DELETE FROM oidc_flows
             WHERE state_hash = $1 AND browser_hash = $2 AND provider = $3 AND expires_at_ms > $4
             RETURNING return_to, \"user\", session",
        )
        .bind(state_hash.as_slice())
        .bind(browser_hash.as_slice())
        .bind(provider)
        .bind(ms(now_ms))
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        row.map(|row| {
            let user = id_option(&row, "user")?.map(UserId);
            let session = id_option(&row, "session")?.map(SessionId);
            let linker = user.zip(session).map(|(user, session)| Linker { user, session });
            Ok((row.try_get("return_to")?, linker))
        })
        .transpose()
    }

    pub(crate) async fn add_sign_in_code(
        &self,
        code: &SignInCode,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM oidc_codes WHERE expires_at_ms <= $1")
            .bind(ms(now_ms))
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO oidc_codes (hash, browser_hash, provider, \"user\", second_factor,
               expires_at_ms) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(code.hash.as_slice())
        .bind(code.browser_hash.as_slice())
        .bind(&code.provider)
        .bind(code.user.to_string())
        .bind(i64::from(code.second_factor))
        .bind(ms(code.expires_at_ms))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn sign_in_code(
        &self,
        hash: &[u8; 32],
    ) -> Result<Option<SignInCode>, StoreError> {
        let row = sqlx::query("SELECT * FROM oidc_codes WHERE hash = $1")
            .bind(hash.as_slice())
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| {
            let browser: Vec<u8> = row.try_get("browser_hash")?;
            let browser_hash = browser.try_into();
            Ok(SignInCode {
                hash: *hash,
                browser_hash: word("oidc_codes.browser_hash", "", |_| browser_hash.ok())?,
                provider: row.try_get("provider")?,
                user: UserId(id(&row, "user")?),
                second_factor: flag(&row, "second_factor")?,
                expires_at_ms: unsigned(row.try_get("expires_at_ms")?),
            })
        })
        .transpose()
    }

    /// False where somebody else was faster.
    pub(crate) async fn use_sign_in_code(&self, hash: &[u8; 32]) -> Result<bool, StoreError> {
        let statement = sqlx::query("DELETE FROM oidc_codes WHERE hash = $1");
        Ok(self.write(statement.bind(hash.as_slice())).await? == 1)
    }
}
