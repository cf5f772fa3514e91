//! A power cut: a file system on a loop device whose backing file is copied while the writer
//! stands still. What the copy holds is what the disk had been told to keep.

use super::*;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const DIR: &str = "FLYBALL_POWER_CUT_DIR";
const ROUNDS: u64 = 2;
/// The writer is stopped after so many acknowledgements and some more each round.
const ACKED: u64 = 25;

/// A mounted loop device, unmounted however the test ends.
struct Mounted(PathBuf);

impl Mounted {
    /// `None` where this machine does not allow it.
    fn new(image: &Path, at: PathBuf) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        run(Command::new("mount").args(["-o", "loop"]).arg(image).arg(&at)).then_some(Self(at))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        run(Command::new("umount").arg(&self.0));
    }
}

/// The writer's process, killed however the test ends.
struct Writer(Child);

impl Writer {
    fn start(dir: &Path) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["spool::tests::power_cut::writer", "--exact", "--ignored", "--nocapture"])
            .env(DIR, dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    fn stop(&self) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        kill_process(pid, Signal::STOP).unwrap();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn run(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Two entries an append, told from each other by their number.
fn bodies(seq: u64) -> [EntryBody; 2] {
    [block(seq, 20), event(&format!("after block {seq}"))]
}

#[test]
#[ignore = "the other half of the power cut, started by it"]
fn writer() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let mut spool = Spool::<u64>::open(Path::new(&dir), LIMITS, Epoch(1)).unwrap().spool;
    loop {
        let seq = spool.next_seq().0;
        spool.append_batch(&bodies(seq), seq).unwrap();
        println!("acked {}", seq + 1);
    }
}

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root may mount a loop device");
        return;
    }
    for round in 0..ROUNDS {
        let dir = TempDir::new().unwrap();
        let (image, copy) = (dir.path().join("image"), dir.path().join("copy"));
        fs::File::create(&image).unwrap().set_len(48 * 1024 * 1024).unwrap();
        let made = run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image));
        let mounted = made.then(|| Mounted::new(&image, dir.path().join("disk"))).flatten();
        let Some(mounted) = mounted else {
            eprintln!("skipped: this machine makes no file system on a loop device");
            return;
        };
        let acked = cut(&mounted.0.join("spool"), &image, &copy, ACKED + round * 7);
        drop(mounted);

        let mounted = Mounted::new(&copy, dir.path().join("after")).unwrap();
        let path = mounted.0.join("spool");
        let Opened { spool, report } = Spool::<u64>::open(&path, LIMITS, Epoch(2)).unwrap();
        assert!(report.set_aside.is_none(), "{report:?}");
        assert!(report.missing.is_empty(), "{report:?}");
        let there = all(&spool.outbox());
        assert!(there.len() as u64 >= acked, "{} of {acked} acknowledged", there.len());
        for (seq, pair) in (1..).step_by(2).zip(there.chunks(2)) {
            let [first, second] = bodies(seq);
            assert_eq!(pair, [(seq, first), (seq + 1, second)]);
        }
        assert_eq!(spool.meta(), Some(&(there.len() as u64 - 1)));
    }
}

/// Lets a writer run until so many entries are acknowledged, and copies the disk as it is then.
fn cut(spool: &Path, image: &Path, copy: &Path, enough: u64) -> u64 {
    let mut writer = Writer::start(spool);
    let mut lines = BufReader::new(writer.0.stdout.take().unwrap()).lines();
    let acked = lines.find_map(|line| {
        let line = line.unwrap();
        let acked: u64 = line.rsplit_once("acked ")?.1.parse().ok()?;
        (acked >= enough).then_some(acked)
    });
    writer.stop();
    fs::copy(image, copy).unwrap();
    acked.expect("the writer ended by itself")
}
