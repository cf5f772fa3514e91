//! One database and the object stores that are not its own.

use super::*;

const OBJECT: &str = "flyball-history";
const CLAIM_MS: u64 = 120_000;

impl Rig {
    /// Another aggregator on the same database, whose segments would lie in `folder`.
    fn beside(&self, folder: &str) -> History {
        let settings = HistorySettings { store: Some(folder.into()), ..HistorySettings::default() };
        let (store, clock) = (self.store.clone(), self.clock.clone());
        History::open(store, clock, &settings, self.fresh.path()).unwrap()
    }

    /// The same with the settings of the first.
    fn again(&self) -> History {
        self.beside("history")
    }

    /// With one segment in the folder.
    async fn with_a_segment() -> Self {
        let mut rig = Self::start().await;
        rig.measure(DAY_MS, DAY_MS + 60_000).await;
        rig.at(DAY_MS + 3 * HOUR_MS);
        assert_eq!(rig.pass().await.segments, 1);
        rig
    }

    fn file(&self, folder: &str) -> std::path::PathBuf {
        self.fresh.path().join(folder).join(OBJECT)
    }

    fn marked(&self, folder: &str) -> Option<String> {
        std::fs::read_to_string(self.file(folder)).ok()
    }

    /// As a database was that knew of no marks.
    async fn forget(&self) {
        let words = "DELETE FROM settings WHERE name = 'history.mark'";
        assert_eq!(self.store.tamper(words.into()).await.unwrap(), 1);
    }

    async fn mark(&self) -> Mark {
        self.store.history_mark().await.unwrap().unwrap()
    }

    fn is_shared(&self) -> bool {
        self.store.engine() == "postgresql"
    }
}

/// What an aggregator says that does not start.
async fn refusal(history: &History) -> String {
    match history.recognise_at_start().await {
        Err(HistoryError::Foreign(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn aggregators_that_start_at_once_agree_on_one_mark() {
    let rig = Rig::start().await;
    let (one, two) = (rig.again(), rig.again());
    let (first, second) = tokio::join!(one.recognise_at_start(), two.recognise_at_start());
    first.unwrap();
    second.unwrap();
    one.recognise().await.unwrap();
    two.recognise().await.unwrap();
    let Mark { id, written } = rig.mark().await;
    assert!(written);
    assert_eq!(rig.marked("history"), Some(id.to_string()));
}

#[tokio::test]
async fn another_folder_is_refused_and_nothing_becomes_history_in_it() {
    let mut rig = Rig::with_a_segment().await;
    let other = rig.beside("elsewhere");
    let said = refusal(&other).await;
    let id = rig.mark().await.id.to_string();
    for part in ["/elsewhere is not the history of this database", OBJECT, &id, "history.store"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    rig.measure(DAY_MS + 60_000, DAY_MS + 120_000).await;
    rig.at(DAY_MS + 6 * HOUR_MS);
    let refused = other.pass().await.unwrap_err();
    assert!(matches!(refused, HistoryError::Foreign(_)), "{refused:?}");
    assert_eq!(std::fs::read_dir(rig.fresh.path().join("elsewhere")).unwrap().count(), 0);
    assert_eq!(rig.pass().await.blocks, 6);
}

#[tokio::test]
async fn a_folder_that_was_lost_is_refused_until_it_is_back() {
    let rig = Rig::with_a_segment().await;
    let (folder, kept) = (rig.fresh.path().join("history"), rig.fresh.path().join("kept"));
    std::fs::rename(&folder, &kept).unwrap();
    assert!(refusal(&rig.again()).await.contains("has no object flyball-history that says"));
    std::fs::remove_dir(&folder).unwrap();
    std::fs::rename(&kept, &folder).unwrap();
    rig.again().recognise_at_start().await.unwrap();
}

#[tokio::test]
async fn the_folder_of_another_database_is_refused() {
    let (one, two) = (Rig::with_a_segment().await, Rig::start().await);
    let folder = one.fresh.path().join("history");
    let folder = folder.to_str().unwrap();
    // A new database, one with a folder of its own, and what is no mark at all.
    assert!(refusal(&two.beside(folder)).await.contains("the database has no history yet"));
    assert_eq!(two.store.history_mark().await.unwrap(), None);
    two.again().recognise().await.unwrap();
    let said = refusal(&two.beside(folder)).await;
    assert!(said.contains(&one.mark().await.id.to_string()), "{said}");
    assert!(said.contains(&two.mark().await.id.to_string()), "{said}");
    std::fs::write(two.file("history"), "x".repeat(1000)).unwrap();
    assert!(refusal(&two.again()).await.contains(&format!("{:?}", "x".repeat(64))));
    std::fs::write(two.file("history"), "").unwrap();
    assert!(refusal(&two.again()).await.contains("says \"\""));
}

#[tokio::test]
async fn before_the_first_segment_only_who_is_alone_with_the_database_may_move() {
    let rig = Rig::start().await;
    rig.again().recognise().await.unwrap();
    let before = rig.mark().await;
    let moved = rig.beside("elsewhere");
    if rig.is_shared() {
        refusal(&moved).await;
        assert_eq!((rig.mark().await, rig.marked("elsewhere")), (before, None));
        // Its mark moves with it.
        std::fs::rename(rig.file("history"), rig.file("elsewhere")).unwrap();
    }
    moved.recognise_at_start().await.unwrap();
    assert_eq!(rig.marked("elsewhere"), Some(rig.mark().await.id.to_string()));
    // What was left behind is not the history any more.
    if rig.is_shared() {
        assert!(refusal(&rig.again()).await.contains("has no object"));
    } else {
        assert!(refusal(&rig.again()).await.contains(&before.id.to_string()));
    }
}

#[tokio::test]
async fn a_history_from_before_marks_is_taken_on_where_its_newest_segment_lies() {
    let rig = Rig::with_a_segment().await;
    rig.forget().await;
    std::fs::remove_file(rig.file("history")).unwrap();
    let said = refusal(&rig.beside("elsewhere")).await;
    assert!(said.contains(&rig.rows().await[0].object), "{said}");
    rig.again().recognise_at_start().await.unwrap();
    assert_eq!(rig.marked("history"), Some(rig.mark().await.id.to_string()));
    refusal(&rig.beside("elsewhere")).await;
}

#[tokio::test]
async fn a_database_restored_from_before_its_mark_knows_its_store_by_the_segments() {
    let rig = Rig::with_a_segment().await;
    let mark = rig.mark().await;
    rig.forget().await;
    rig.again().recognise_at_start().await.unwrap();
    assert_eq!(rig.mark().await, mark);
}

#[tokio::test]
async fn a_mark_that_was_cut_off_is_gone_on_with_and_its_id_stays() {
    for written in [false, true] {
        let rig = Rig::start().await;
        let id = HistoryId(Uuid::from_u128(42));
        let now_ms = rig.clock.now_ms();
        let claimed = rig.store.claim_history(id, now_ms, 0).await.unwrap();
        assert_eq!(claimed, Claim::Made(id));
        if written {
            std::fs::write(rig.file("history"), id.to_string()).unwrap();
        } else if rig.is_shared() {
            // Somebody may be at it.
            let other = rig.beside("elsewhere");
            for wait_ms in [0, CLAIM_MS] {
                rig.at(now_ms + wait_ms);
                let waits = other.recognise().await.unwrap_err();
                assert!(matches!(waits, HistoryError::Unsettled), "{waits:?}");
                other.recognise_at_start().await.unwrap();
            }
            assert_eq!(rig.marked("elsewhere"), None);
            rig.at(now_ms + CLAIM_MS + 1);
        }
        rig.again().recognise().await.unwrap();
        assert_eq!(rig.mark().await, Mark { id, written: true });
        assert_eq!(rig.marked("history"), Some(id.to_string()));
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_holds_no_start_up_and_nothing_becomes_history() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut rig = Rig::start().await;
    rig.measure(DAY_MS, DAY_MS + 60_000).await;
    rig.at(DAY_MS + 3 * HOUR_MS);
    let credentials = rig.fresh.path().join("credentials.toml");
    std::fs::write(&credentials, "access_key_id = \"a\"\nsecret_access_key = \"b\"\n").unwrap();
    let settings = HistorySettings {
        store: Some("s3://flyball".into()),
        endpoint: Some(format!("http://{}", listener.local_addr().unwrap())),
        credentials_file: Some(credentials),
        ..HistorySettings::default()
    };
    let (store, clock) = (rig.store.clone(), rig.clock.clone());
    let history = History::open(store, clock, &settings, rig.fresh.path()).unwrap();
    history.recognise_at_start().await.unwrap();
    drop(listener);
    let error = history.pass().await.unwrap_err();
    assert!(matches!(error, HistoryError::Objects(_)), "{error:?}");
    assert_eq!(rig.store.counts().await.unwrap().blocks, 6);
    assert_eq!(rig.store.history_mark().await.unwrap(), None);
}
