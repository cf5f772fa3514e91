//! Machines whose idleness is managed, how they turned, and modes of the operator's own.

use crate::access::UserId;
use crate::app::idle::{Action, Managed, PowerProfile};
use crate::fleet::DeviceId;
use crate::idle::{Definition, State, Turn};
use crate::record::Record;
use crate::store::StoreError;
use crate::store::sql::clients::count;
use crate::store::sql::record::record;
use crate::store::sql::{
    Row, Store, flag, from_json, ms, small, to_json, unsigned, unsigned_option, word,
};
use sqlx::Row as _;
use uuid::Uuid;

/// Machines that are managed, by far.
const MOST_DEVICES: i64 = 10_000;
/// Turns of one machine that are kept.
const MOST_TURNS: i64 = 1_000;
/// Modes of the operator's own, as many as the API takes.
const MOST_PROFILES: i64 = 200;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT device, enabled, mode, timeout_minutes, active_at_ms, awake_until_ms,
               forced_state, forced_at_ms, state, since_ms, pending, action FROM idle_devices ",
            $rest
        )
    };
}

impl Store {
    /// # Errors
    /// Where the database fails.
    pub async fn managed(&self, device: DeviceId) -> Result<Option<Managed>, StoreError> {
        let row = sqlx::query(select!("WHERE device = $1"))
            .bind(device.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(managed).transpose()
    }

    /// # Errors
    /// Where the database fails.
    pub async fn all_managed(&self) -> Result<Vec<Managed>, StoreError> {
        let rows = sqlx::query(select!("ORDER BY device LIMIT $1"))
            .bind(MOST_DEVICES)
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(managed).collect()
    }

    /// Stores what was asked for; state and activity of one that is managed already stay.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_managed(&self, managed: &Managed) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "INSERT INTO idle_devices (device, enabled, mode, timeout_minutes, active_at_ms,
               awake_until_ms, forced_state, forced_at_ms, state, since_ms, pending)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (device) DO UPDATE SET enabled = excluded.enabled, mode = excluded.mode,
               timeout_minutes = excluded.timeout_minutes,
               awake_until_ms = excluded.awake_until_ms, forced_state = excluded.forced_state,
               forced_at_ms = excluded.forced_at_ms, pending = excluded.pending",
        );
        let statement = statement
            .bind(managed.device.to_string())
            .bind(i64::from(managed.enabled))
            .bind(&managed.mode)
            .bind(managed.timeout_minutes.map(i64::from))
            .bind(ms(managed.active_at_ms))
            .bind(managed.awake_until_ms.map(ms))
            .bind(managed.forced.map(|(state, _)| state.name()))
            .bind(managed.forced.map(|(_, at_ms)| ms(at_ms)))
            .bind(managed.state.name())
            .bind(ms(managed.since_ms))
            .bind(i64::from(managed.pending));
        self.write(statement).await.map(|_| ())
    }

    /// Somebody has used the machine, or every one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn used(&self, device: Option<DeviceId>, at_ms: u64) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "UPDATE idle_devices SET active_at_ms = $1
             WHERE active_at_ms < $2 AND ($3 IS NULL OR device = $3)",
        );
        let device = device.map(|device| device.to_string());
        self.write(statement.bind(ms(at_ms)).bind(ms(at_ms)).bind(device)).await.map(|_| ())
    }

    /// Turns the machine's state, and says whether it was this call that did.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn turn(&self, turn: &Turn) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let turned = sqlx::query(
            "UPDATE idle_devices SET state = $1, since_ms = $2, pending = 1
             WHERE device = $3 AND state = $4",
        )
        .bind(turn.to.name())
        .bind(ms(turn.at_ms))
        .bind(turn.device.to_string())
        .bind(turn.from.name())
        .execute(&mut *transaction)
        .await?;
        if turned.rows_affected() == 0 {
            return Ok(false);
        }
        let seq = count(&mut transaction, "idle", 1).await?;
        sqlx::query(
            "INSERT INTO idle_turns (seq, device, at_ms, from_state, to_state, mode)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(ms(seq))
        .bind(turn.device.to_string())
        .bind(ms(turn.at_ms))
        .bind(turn.from.name())
        .bind(turn.to.name())
        .bind(&turn.mode)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM idle_turns WHERE device = $1 AND seq <= (SELECT seq FROM idle_turns
               WHERE device = $2 ORDER BY seq DESC LIMIT 1 OFFSET $3)",
        )
        .bind(turn.device.to_string())
        .bind(turn.device.to_string())
        .bind(MOST_TURNS)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The machine was asked, or needs not be, as long as it is in that state.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn asked(
        &self,
        device: DeviceId,
        state: State,
        action: &Action,
    ) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "UPDATE idle_devices SET pending = 0, action = $1 WHERE device = $2 AND state = $3",
        );
        let action = to_json("idle_devices.action", action)?;
        let statement = statement.bind(action).bind(device.to_string()).bind(state.name());
        self.write(statement).await.map(|_| ())
    }

    /// How the machine turned, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn turns(&self, device: DeviceId, limit: u32) -> Result<Vec<Turn>, StoreError> {
        let rows = sqlx::query(
            "SELECT at_ms, from_state, to_state, mode FROM idle_turns WHERE device = $1
             ORDER BY seq DESC LIMIT $2",
        )
        .bind(device.to_string())
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        let turn = |row: &Row| {
            Ok(Turn {
                device,
                at_ms: unsigned(row.try_get("at_ms")?),
                from: word("idle_turns.from_state", row.try_get("from_state")?, State::from_name)?,
                to: word("idle_turns.to_state", row.try_get("to_state")?, State::from_name)?,
                mode: row.try_get("mode")?,
            })
        };
        rows.iter().map(turn).collect()
    }

    /// The operator's own modes by name, without those that were deleted.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn power_profiles(&self) -> Result<Vec<PowerProfile>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, name, definition, created_at_ms, created_by, updated_at_ms, updated_by,
               deleted_at_ms, version FROM power_profiles
             WHERE deleted_at_ms IS NULL ORDER BY name, id LIMIT $1",
        )
        .bind(MOST_PROFILES)
        .fetch_all(self.readers())
        .await?;
        let profile = |row: &Row| {
            let definition: Definition =
                from_json("power_profiles.definition", row.try_get("definition")?)?;
            Ok(PowerProfile {
                id: word("power_profiles.id", row.try_get("id")?, |it| Uuid::parse_str(it).ok())?,
                name: row.try_get("name")?,
                definition,
                record: record(row)?,
            })
        };
        rows.iter().map(profile).collect()
    }

    /// # Errors
    /// Where the database fails.
    pub async fn add_power_profile(&self, profile: &PowerProfile) -> Result<(), StoreError> {
        let by = |user: Option<UserId>| user.map(|user| user.to_string());
        let Record { created_at_ms, created_by, updated_at_ms, updated_by, .. } = profile.record;
        let statement = sqlx::query(
            "INSERT INTO power_profiles (id, name, definition, created_at_ms, created_by,
               updated_at_ms, updated_by, version) VALUES ($1, $2, $3, $4, $5, $6, $7, 1)",
        );
        let statement = statement
            .bind(profile.id.to_string())
            .bind(&profile.name)
            .bind(to_json("power_profiles.definition", &profile.definition)?)
            .bind(ms(created_at_ms))
            .bind(by(created_by))
            .bind(ms(updated_at_ms))
            .bind(by(updated_by));
        self.write(statement).await.map(|_| ())
    }

    /// Replaces it; `false` where there is none any more.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn replace_power_profile(
        &self,
        profile: &PowerProfile,
        by: UserId,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "UPDATE power_profiles SET name = $1, definition = $2, updated_at_ms = $3,
               updated_by = $4, version = version + 1
             WHERE id = $5 AND deleted_at_ms IS NULL",
        );
        let statement = statement
            .bind(&profile.name)
            .bind(to_json("power_profiles.definition", &profile.definition)?)
            .bind(ms(now_ms))
            .bind(by.to_string())
            .bind(profile.id.to_string());
        Ok(self.write(statement).await? > 0)
    }

    /// Deletes it; `false` where there is none any more, or a machine is managed by it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn delete_power_profile(
        &self,
        id: Uuid,
        by: UserId,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "UPDATE power_profiles SET deleted_at_ms = $1, updated_at_ms = $2, updated_by = $3,
               version = version + 1
             WHERE id = $4 AND deleted_at_ms IS NULL
               AND NOT EXISTS (SELECT 1 FROM idle_devices WHERE mode = $5)",
        );
        let statement = statement
            .bind(ms(now_ms))
            .bind(ms(now_ms))
            .bind(by.to_string())
            .bind(id.to_string())
            .bind(id.to_string());
        Ok(self.write(statement).await? > 0)
    }
}

fn managed(row: &Row) -> Result<Managed, StoreError> {
    let state = |column: &'static str, text: &str| word(column, text, State::from_name);
    let forced: Option<&str> = row.try_get("forced_state")?;
    let forced = forced.map(|text| state("idle_devices.forced_state", text)).transpose()?;
    let forced_at_ms = unsigned_option(row.try_get("forced_at_ms")?);
    let timeout: Option<i64> = row.try_get("timeout_minutes")?;
    let action: Option<&str> = row.try_get("action")?;
    Ok(Managed {
        device: word("idle_devices.device", row.try_get("device")?, |text| {
            Uuid::parse_str(text).ok().map(DeviceId)
        })?,
        enabled: flag(row, "enabled")?,
        mode: row.try_get("mode")?,
        timeout_minutes: timeout
            .map(|minutes| small("idle_devices.timeout_minutes", minutes))
            .transpose()?,
        active_at_ms: unsigned(row.try_get("active_at_ms")?),
        awake_until_ms: unsigned_option(row.try_get("awake_until_ms")?),
        forced: forced.zip(forced_at_ms),
        state: state("idle_devices.state", row.try_get("state")?)?,
        since_ms: unsigned(row.try_get("since_ms")?),
        pending: flag(row, "pending")?,
        action: action.map(|text| from_json("idle_devices.action", text)).transpose()?,
    })
}
