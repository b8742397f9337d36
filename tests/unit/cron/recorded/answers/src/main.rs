// SPDX-License-Identifier: Apache-2.0
//! Prints when random expressions fire in random zones after random instants, as the library of
//! Awa's workers says: one line each, `expression TAB zone TAB start TAB fires`. Times are seconds
//! since 1970; each fire is written as its distance from the one before it.
//!
//! The fires are followed by nothing, or by why there are no more of them:
//!   `!` the expression is refused     `-` the library finds no further one
//!   `<` it goes back in time          `>` the next one lies beyond the years that are compared
//!
//! Half of the expressions are such as people write, half are put together from whatever the
//! grammar has, and some are broken. Most instants lie near a change of the zone's clocks.

use chrono::{DateTime, Duration, Offset, TimeZone, Utc};
use chrono_tz::{Tz, TZ_VARIANTS};
use croner::Cron;

const LINES: usize = 10_000;
const FIRES: usize = 4;
const FIRST_YEAR: i64 = 631_152_000; // 1990
const LAST_YEAR: i64 = 1_735_689_600; // 2025: what comes later, a newer tz may change

/// Zones whose clocks change by much, at midnight, by half an hour, or often.
const LIVELY: [&str; 20] = [
    "US/Eastern", "Europe/Berlin", "Europe/Dublin", "Australia/Lord_Howe", "America/Sao_Paulo",
    "Antarctica/Troll", "Africa/Casablanca", "Asia/Tehran", "Asia/Gaza", "America/Santiago",
    "Africa/Cairo", "Pacific/Apia", "America/Havana", "Asia/Beirut", "America/Scoresbysund",
    "Pacific/Chatham", "America/Nuuk", "Asia/Amman", "America/Asuncion", "Europe/London",
];

/// Names that Debian keeps as zones of their own, while tz has made other names of zones of them:
/// their clocks differ before 1997.
const OLD: [&str; 11] = [
    "WET", "CET", "MET", "EET", "EST", "MST", "HST", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT",
];

/// xorshift64*: the same numbers everywhere and always.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }
    fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit
    }
    fn between(&mut self, first: i64, last: i64) -> i64 {
        first + self.below((last - first + 1) as u64) as i64
    }
    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }
}

const RANGES: [(i64, i64); 6] = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
const DAYS: [&str; 7] = ["sun", "MON", "Tue", "wed", "THU", "fri", "Sat"];
const MONTHS: [&str; 12] =
    ["jan", "FEB", "Mar", "apr", "MAY", "jun", "JUL", "aug", "Sep", "oct", "NOV", "dec"];

/// As in most crontabs.
fn usual(dice: &mut Dice) -> String {
    let minute = match dice.below(5) {
        0 => "*".into(),
        1 => format!("*/{}", dice.pick(&["2", "5", "10", "15", "20", "30"])),
        2 => format!("{},{}", dice.between(0, 29), dice.between(30, 59)),
        _ => dice.between(0, 59).to_string(),
    };
    let hour = match dice.below(6) {
        0 => "*".into(),
        1 => format!("*/{}", dice.between(2, 12)),
        2 => format!("{}-{}", dice.between(0, 9), dice.between(10, 23)),
        3 => dice.between(0, 3).to_string(),
        _ => dice.between(0, 23).to_string(),
    };
    let (day, month, weekday) = match dice.below(8) {
        0 => (dice.between(1, 31).to_string(), "*".into(), "*".into()),
        1 => ("*".into(), "*".into(), "1-5".into()),
        2 => ("*".into(), "*".into(), dice.pick(&DAYS).to_string()),
        3 => ("1".into(), format!("*/{}", dice.between(1, 6)), "*".into()),
        4 => ("L".into(), "*".into(), "*".into()),
        5 => (dice.between(1, 28).to_string(), dice.pick(&MONTHS).to_string(), "?".into()),
        _ => ("*".into(), "*".into(), "*".into()),
    };
    let fields = format!("{minute} {hour} {day} {month} {weekday}");
    match dice.below(16) {
        0 => format!("* {fields}"),
        1 | 2 => format!("{} {fields}", dice.between(0, 59)),
        _ => fields,
    }
}

/// One part of a list, now and then out of its field's range.
fn part(dice: &mut Dice, field: usize) -> String {
    let (first, last) = RANGES[field];
    let number = |dice: &mut Dice| {
        if dice.one_in(60) { dice.between(last + 1, last + 3) } else { dice.between(first, last) }
    };
    let (one, other) = (number(dice), number(dice));
    let (low, high) =
        if dice.one_in(40) { (one, other) } else { (one.min(other), one.max(other)) };
    let step = if dice.one_in(60) { dice.between(196, 256) } else { dice.between(1, 20) };
    let tail = match dice.below(6) {
        0 if field == 5 => format!("#{}", dice.between(0, 6)),
        1 if field == 5 => "#L".into(),
        _ => String::new(),
    };
    match dice.below(12) {
        0 => format!("*/{step}{tail}"),
        1 => format!("{low}-{high}/{step}{tail}"),
        2 => format!("{one}/{step}"),
        3 | 4 => format!("{low}-{high}{tail}"),
        5 if field == 3 => "L".into(),
        6 if field == 3 => format!("{one}W"),
        5 if field == 5 => format!("{one}L"),
        6 | 7 if field == 5 => dice.pick(&DAYS).to_string(),
        6 if field == 4 => dice.pick(&MONTHS).to_string(),
        8 if field == 5 => format!("{}-{}", dice.pick(&DAYS), dice.pick(&DAYS)),
        9 if dice.one_in(8) => dice.pick(&["L", "*", "", "W", "#", "+7", "007", "1-", "-1"]).into(),
        _ => format!("{one}{tail}"),
    }
}

fn unusual(dice: &mut Dice) -> String {
    if dice.one_in(50) {
        return dice
            .pick(&["@yearly", "@DAILY", "@hourly", "@midnight", " @weekly ", "@annually", "@Monthly"])
            .into();
    }
    let first = if dice.one_in(3) { 0 } else { 1 };
    let fields: Vec<String> = (first..6)
        .map(|field| {
            // Few sets of seconds, so that the fires that are printed reach somewhere.
            if dice.one_in(if field == 0 { 20 } else { 3 }) {
                return dice.pick(&["*", "?"]).into();
            }
            let count = 1 + dice.below(3);
            (0..count).map(|_| part(dice, field)).collect::<Vec<_>>().join(",")
        })
        .collect();
    fields.join(" ")
}

fn offset(zone: Tz, at: i64) -> i32 {
    zone.offset_from_utc_datetime(&DateTime::from_timestamp(at, 0).unwrap().naive_utc())
        .fix()
        .local_minus_utc()
}

/// A change of the clocks within the year from then on, if there is one.
fn change(zone: Tz, from: i64) -> Option<i64> {
    const WEEK: i64 = 7 * 86_400;
    let mut low = (0..53).map(|week| from + week * WEEK)
        .find(|&at| offset(zone, at) != offset(zone, at + WEEK))?;
    let mut high = low + WEEK;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if offset(zone, middle) == offset(zone, low) { low = middle } else { high = middle }
    }
    Some(high)
}

fn start(dice: &mut Dice, zone: Tz, is_close: bool) -> i64 {
    let at = dice.between(FIRST_YEAR, LAST_YEAR);
    if dice.one_in(4) {
        return at;
    }
    match change(zone, at) {
        Some(change) if is_close => change + dice.between(-3, 1),
        Some(change) => change + dice.between(-2 * 86_400, 2 * 3_600),
        None => at,
    }
}

fn fires(expression: &str, zone: Tz, start: i64) -> String {
    let Ok(cron) = Cron::new(expression).with_seconds_optional().parse() else {
        return "!".into();
    };
    let mut words = Vec::new();
    let mut last = start;
    let mut found = i64::MIN;
    let mut from = Utc.timestamp_opt(start, 0).unwrap().with_timezone(&zone);
    while words.len() < FIRES {
        let Ok(fire) = cron.find_next_occurrence(&from, true) else {
            words.push("-".into());
            break;
        };
        let at = fire.timestamp();
        if at > LAST_YEAR {
            words.push(">".into());
            break;
        }
        if at <= found {
            words.push("<".into());
            break;
        }
        if at > last {
            words.push((at - last).to_string());
            last = at;
        }
        found = at;
        from = fire + Duration::seconds(1);
    }
    words.join("\t")
}

fn main() {
    let mut dice = Dice(0x6c6f_636b_6b65_6570);
    for line in 0..LINES {
        // Some fire in the last second before a change.
        let expression = match line % 40 {
            0 => dice.pick(&["* * * * * *", "59 59 * * * *"]).into(),
            even if even % 2 == 0 => usual(&mut dice),
            _ => unusual(&mut dice),
        };
        let zone: Tz = if dice.one_in(3) {
            TZ_VARIANTS[dice.below(TZ_VARIANTS.len() as u64) as usize]
        } else {
            LIVELY[dice.below(LIVELY.len() as u64) as usize].parse().unwrap()
        };
        let zone = if OLD.contains(&zone.name()) { Tz::UTC } else { zone };
        let start = start(&mut dice, zone, line % 40 == 0);
        println!("{expression}\t{}\t{start}\t{}", zone.name(), fires(&expression, zone, start));
    }
}
