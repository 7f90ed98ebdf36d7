//! Measures the search index on invented people of many cultures: time to build, memory, time a query, and how
//! many one-edit typos still find the person among the first twenty.
//!
//! `cargo run --profile quick -p edition --example search_speed [people]`; the same numbers for the same build,
//! since the names come from a seed. No test depends on a time.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::HashSet;
use std::hint::black_box;
use std::time::Instant;

use domain::Language;
use edition::search::{Builder, Field, Index};

const PAGE: usize = 20;
const TRIALS: usize = 1_000;

/// SplitMix64: small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn pick<'a>(&mut self, of: &'a str) -> &'a str {
        let words: Vec<&str> = of.split(' ').collect();
        words[self.roll(words.len())]
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Arabic,
    Cyrillic,
    Chinese,
}

const SCRIPTS: [(Script, &str, Option<Language>); 4] = [
    (Script::Latin, "Latin", None),
    (Script::Arabic, "Arabic", Some(Language::Ar)),
    (Script::Cyrillic, "Cyrillic", Some(Language::Ru)),
    (Script::Chinese, "Chinese", Some(Language::Zh)),
];

/// Given names; beginnings, middles and ends of family names.
const LATIN: [[&str; 4]; 6] = [
    [
        "Ada Chidi Ngozi Emeka Amara Ifeanyi Kwame Abena Kofi Ama Yaw Efua Tendai Rudo Thandiwe Sipho Wanjiru Kamau Achieng Otieno",
        "Oka Nwa Ade Olu Mba Asa Owu Ki Wa Mu Nku Ndlo Mo Chi Eze",
        "fo bi ku la ra ti ndo ngo ma ze sa",
        "r la na ye ni wa la ba mi do nga su",
    ],
    [
        "María José Lucía Mateo Sofía Diego Valentina Andrés Camila Joaquín Inés Rafael Elena Íñigo Ximena Tomás João Beatriz Gonçalo Luísa",
        "Gonzá Fernán Rodrí Mar Her Caste Alva Mon Villa Que Sepúl Za Bar Oliv Pinhei",
        "le de gue ti nan lla ra te no ve mo ri",
        "z s z nez do ro z na res da ra",
    ],
    [
        "Anna Lars Ingrid Søren Åsa Jürgen Käthe Pierre Chloé Étienne Zoë Łukasz Agnieszka Zdeněk Šárka Katarzyna Björn Þóra François Aurélie",
        "Berg Lind Schnei Mül Kowal Nowa Dvo Hor Lefe Duboi Gira Mor Jans Vande Hof Sten",
        "str en ski de ler va ko rá va ber hei",
        "öm sen der ski k čík vre man ström ová r",
    ],
    [
        "Mehmet Ayşe Emre Zeynep Çağla Ilgın Reza Shirin Dariush Laleh Arash Bahar Timur Aigul Nurlan Dilnoza Giorgi Nino Levan Tamar",
        "Yıl Öz Kara Ay Demi Kaya Hos Moh Raha Far Nur Sul Abd Ber Kva",
        "dı gü de ba se am ra ta ul ma ri",
        "z r n li ni di lu ov dze shvili oğlu",
    ],
    [
        "Aarav Priya Rohan Ananya Vikram Lakshmi Nimal Kumari Tenzin Bilal Ayesha Farhan Sumaiya Arif Nguyet Minh Siti Budi Putri Agus",
        "Cha Rama Sub Ven Kri Gup Ban Muk Sen Pere Wije Wick Rah Kha Suk",
        "krav na ka ra sh er ma ta rama jee sing",
        "arty than man nan taa ji ra jee ra he wan",
    ],
    [
        "Wei Xiaoming Jun Haruto Yui Sakura Minjun Seoyeon Jihoon Linh Thanh Hoa Mei Ling Akira Kenji Naoko Hyun Jae Li",
        "Wang Zhang Tana Yama Sato Suzu Kim Park Nguy Tra Chen Li Naka Mori Ishi",
        "ka mo ta ki na e mu shi za wa",
        "ka to ra no da mura ki n ng",
    ],
];
const ARABIC: [&str; 2] = [
    "محمد أحمد علي فاطمة عائشة عمر خالد يوسف مريم زينب حسن حسين سارة ليلى نور إبراهيم عبدالله عبدالرحمن كريم سلمى هدى طارق ياسر رانيا",
    "الحسيني المصري التميمي الشمري الخطيب النجار الحداد القاسمي الهاشمي العلوي بنجلون المنصوري الزهراني السعدي البغدادي الدمشقي الكردي الراشد المرزوقي العامري الطويل الفقيه الصالح التونسي",
];
const CYRILLIC: [&str; 3] = [
    "Анна Иван Ольга Пётр Мария Дмитрий Елена Алексей Наталья Сергей Ирина Андрей Татьяна Юрий Светлана Максим Дарья Артём Ксения Игорь",
    "Иван Петр Сидор Кузнец Соловь Волк Зайц Морозов Лебед Козл Новик Павл Голуб Виноград Богдан Воробь Фёдор Михайл Беля Тарас Белорус Комар Орл Кисел Макар Андре Захар",
    "ов ова ев ева ин ина ский ская енко чук",
];
const CHINESE: [&str; 2] = [
    "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 高 林 罗 郑 梁 谢 宋 唐 许 邓 冯 韩 曹 欧阳 司马",
    "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 秀 霞 平 刚 桂 英 华 玉 兰 文 国 建 志 海 晓 小 红 春 雪 梅 林 东 宇 浩 子 轩 梓 涵 欣 怡 思 佳 雨 晨 天 一 可 安",
];

struct Person {
    script: Script,
    family: String,
    name: String,
}

fn person(dice: &mut Dice, script: Script) -> Person {
    let (given, family) = match script {
        Script::Latin => {
            let [given, start, middle, end] = LATIN[dice.roll(LATIN.len())];
            (dice.pick(given).to_owned(), [dice.pick(start), dice.pick(middle), dice.pick(end)].concat())
        }
        Script::Arabic => {
            let given = [dice.pick(ARABIC[0]), " ", dice.pick(ARABIC[0])].concat();
            (given, dice.pick(ARABIC[1]).to_owned())
        }
        Script::Cyrillic => {
            (dice.pick(CYRILLIC[0]).to_owned(), [dice.pick(CYRILLIC[1]), dice.pick(CYRILLIC[2])].concat())
        }
        Script::Chinese => {
            let second = if dice.roll(8) == 0 { "" } else { dice.pick(CHINESE[1]) };
            ([dice.pick(CHINESE[1]), second].concat(), dice.pick(CHINESE[0]).to_owned())
        }
    };
    let name = match script {
        Script::Chinese => [family.as_str(), given.as_str()].concat(),
        _ => [family.as_str(), " ", given.as_str()].concat(),
    };
    Person { script, family, name }
}

/// One insertion, deletion, substitution or transposition anywhere, spaces included, by a letter of the same script.
fn misspell(dice: &mut Dice, word: &str, script: Script) -> String {
    let letters: Vec<char> = match script {
        Script::Latin => ('a'..='z').collect(),
        Script::Arabic => "ابتثجحخدرزسشصطعغفقكلمنهوي".chars().collect(),
        Script::Cyrillic => ('а'..='я').collect(),
        Script::Chinese => CHINESE[1].chars().filter(|c| *c != ' ').collect(),
    };
    let original: Vec<char> = word.chars().collect();
    loop {
        let mut wrong = original.clone();
        let at = dice.roll(wrong.len());
        let letter = letters[dice.roll(letters.len())];
        match dice.roll(4) {
            0 => wrong.insert(at, letter),
            1 => drop(wrong.remove(at)),
            2 => wrong[at] = letter,
            _ if at + 1 < wrong.len() => wrong.swap(at, at + 1),
            _ => continue,
        }
        if wrong != original {
            return wrong.into_iter().collect();
        }
    }
}

/// Median microseconds of a query over `queries`, each run once to warm up and then seven times.
fn microseconds(index: &Index, queries: &[String]) -> (f64, f64) {
    let mut times: Vec<f64> = Vec::new();
    for query in queries {
        let mut runs: Vec<f64> = (0..8)
            .map(|_| {
                let start = Instant::now();
                black_box(index.search(black_box(query), Language::En, |doc| doc != u32::MAX, None, PAGE));
                start.elapsed().as_secs_f64() * 1e6
            })
            .skip(1)
            .collect();
        runs.sort_by(f64::total_cmp);
        times.push(runs[runs.len() / 2]);
    }
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

fn main() {
    let count = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(45_000);
    let mut dice = Dice(2016);
    let people: Vec<Person> = (0..count)
        .map(|_| {
            let script = match dice.roll(10) {
                0..=6 => Script::Latin,
                7 => Script::Arabic,
                8 => Script::Cyrillic,
                _ => Script::Chinese,
            };
            person(&mut dice, script)
        })
        .collect();
    let titles = "Officer Chief Director Assistant Adviser Interpreter Translator Coordinator";
    let areas = "Information Protocol Conference Security Finance Legal Human Programme Political Documents";
    let texts: Vec<(String, String)> = people
        .iter()
        .map(|_| {
            let number = format!("+1 212 963 {:04}", dice.roll(10_000));
            ([dice.pick(areas), " ", dice.pick(titles)].concat(), number)
        })
        .collect();

    let start = Instant::now();
    let mut builder = Builder::new();
    for (doc, (person, (title, number))) in people.iter().zip(&texts).enumerate() {
        let language = SCRIPTS[person.script as usize].2;
        builder.add(doc as u32, Field::Name, language, &person.name);
        builder.add(doc as u32, Field::Title, Some(Language::En), title);
        builder.add(doc as u32, Field::Number, None, number);
    }
    let index = builder.finish();
    let built = start.elapsed().as_secs_f64() * 1e3;
    let names: HashSet<&str> = people.iter().flat_map(|p| p.name.split(' ')).collect();
    println!(
        "{count} people, {} names, 3 texts each: built in {:.0} ms, {:.1} MB",
        names.len(),
        built,
        index.bytes() as f64 / 1e6
    );

    let sample: Vec<&Person> = (0..2_000).map(|_| &people[dice.roll(people.len())]).collect();
    let prefixes = |letters| -> Vec<String> {
        sample
            .iter()
            .filter(|p| p.script != Script::Chinese)
            .map(|p| p.family.chars().take(letters).collect())
            .collect()
    };
    let typos: Vec<String> = sample.iter().map(|p| misspell(&mut dice, &p.family, p.script)).collect();
    let full_typos: Vec<String> = sample.iter().map(|p| misspell(&mut dice, &p.name, p.script)).collect();
    let rows = [
        ("family name, first letter", prefixes(1)),
        ("family name, first 2 letters", prefixes(2)),
        ("family name, first 4 letters", prefixes(4)),
        ("whole name", sample.iter().map(|p| p.name.clone()).collect()),
        ("family name with a typo", typos),
        ("whole name with a typo", full_typos),
        ("end of a number", texts.iter().take(500).map(|(_, n)| n[n.len() - 8..].to_owned()).collect()),
        ("a common title", vec!["information officer".to_owned(), "officer".to_owned(), "chief protocol".to_owned()]),
        ("eight single letters", vec!["a b c d e f g h".to_owned(), "a i o e n m s k".to_owned()]),
        ("200 hostile characters", vec!["a ".repeat(100), "ma ".repeat(70), "x".repeat(200), "abcdefg ".repeat(25)]),
    ];
    println!("\n{:32} {:>10} {:>10}", "microseconds a query, 20 rows", "median", "p99");
    for (what, queries) in &rows {
        let (median, p99) = microseconds(&index, queries);
        println!("{what:32} {median:10.1} {p99:10.1}");
    }

    println!("\n{:12} {:>24} {:>30}", "recall@20", "whole name, the person", "family name, anyone with it");
    for (script, name, _) in SCRIPTS {
        let like: Vec<&Person> = people
            .iter()
            .filter(|p| p.script == script && (script != Script::Chinese || p.name.chars().count() > 2))
            .collect();
        let finds = |query: &str, right: &dyn Fn(&Person) -> bool| {
            let hits = index.search(query, Language::En, |_| true, None, PAGE);
            usize::from(hits.iter().any(|hit| right(&people[hit.rank.doc as usize])))
        };
        let (mut whole, mut family, mut families) = (0, 0, 0);
        for _ in 0..TRIALS {
            let person = like[dice.roll(like.len())];
            whole += finds(&misspell(&mut dice, &person.name, script), &|p| p.name == person.name);
            if person.family.chars().count() >= 4 {
                families += 1;
                family += finds(&misspell(&mut dice, &person.family, script), &|p| p.family == person.family);
            }
        }
        let share = |n: usize, of: usize| if of == 0 { "-".to_owned() } else { format!("{:.3}", n as f64 / of as f64) };
        println!("{name:12} {:>24} {:>30}", share(whole, TRIALS), share(family, families));
    }
}
