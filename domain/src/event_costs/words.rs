//! The words of an estimate in the six official languages.
//!
//! Numbers stand behind a label rather than before a noun wherever a language would inflect it.

use rust_decimal::Decimal;

use super::estimate::{Basis, Reason, Why, Years};
use super::rate_card::{Base, Category, RegularHours, Unit};
use super::savings::Alternative;
use crate::Language;

/// One text in the order of [`Language::ALL`]: ar, en, es, fr, ru, zh.
type Six = [&'static str; 6];

fn say(language: Language, six: Six) -> &'static str {
    six[language as usize]
}

fn fill(language: Language, six: Six, values: &[(&str, &dyn ToString)]) -> String {
    values.iter().fold(say(language, six).to_owned(), |text, (name, value)| text.replace(name, &value.to_string()))
}

impl Category {
    /// The name for people.
    pub fn name(self, language: Language) -> &'static str {
        let six: Six = match self {
            Self::Room => [
                "القاعة وتجهيزاتها",
                "room and its equipment",
                "sala y su equipamiento",
                "salle et équipement",
                "зал и его оборудование",
                "会议室及其设备",
            ],
            Self::Audiovisual => [
                "الخدمات السمعية البصرية",
                "audiovisual services",
                "servicios audiovisuales",
                "services audiovisuels",
                "аудиовизуальное обслуживание",
                "视听服务",
            ],
            Self::Engineering => [
                "الخدمات الهندسية للمباني",
                "building engineering",
                "servicios técnicos del edificio",
                "services techniques du bâtiment",
                "инженерно-техническое обслуживание здания",
                "楼宇工程服务",
            ],
            Self::Security => ["الأمن", "security", "seguridad", "sécurité", "охрана", "安保"],
            Self::Interpretation => {
                ["الترجمة الشفوية", "interpretation", "interpretación", "interprétation", "устный перевод", "口译"]
            }
            Self::Captioning => [
                "العرض النصي الفوري للكلام",
                "captioning (CART)",
                "subtitulado en tiempo real (CART)",
                "sous-titrage en temps réel (CART)",
                "субтитры в реальном времени (CART)",
                "实时字幕（CART）",
            ],
            Self::SignLanguage => [
                "الترجمة الشفوية بلغة الإشارة",
                "sign-language interpretation",
                "interpretación en lengua de señas",
                "interprétation en langue des signes",
                "перевод на жестовый язык",
                "手语翻译",
            ],
            Self::Webcast => {
                ["البث الشبكي", "webcast", "transmisión web", "diffusion sur le Web", "веб-трансляция", "网播"]
            }
            Self::Videoconference => [
                "التداول بالفيديو",
                "videoconference",
                "videoconferencia",
                "visioconférence",
                "видео-конференц-связь",
                "视频会议",
            ],
            Self::Documents => [
                "استنساخ الوثائق",
                "document reproduction",
                "reproducción de documentos",
                "reproduction de documents",
                "размножение документов",
                "文件印制",
            ],
            Self::Administration => [
                "الرسوم الإدارية",
                "administrative charge",
                "cargo administrativo",
                "frais administratifs",
                "административный сбор",
                "行政费",
            ],
            Self::ProgrammeSupport => [
                "تكاليف دعم البرامج",
                "programme support cost",
                "gastos de apoyo a los programas",
                "dépenses d'appui aux programmes",
                "расходы на вспомогательное обслуживание программ",
                "方案支助费用",
            ],
            Self::Cancellation => [
                "رسم الإلغاء",
                "cancellation fee",
                "cargo por cancelación",
                "frais d'annulation",
                "плата за отмену",
                "取消费",
            ],
            Self::Deposit => ["الإيداع المسبق", "deposit", "depósito", "dépôt", "депозит", "押金"],
        };
        say(language, six)
    }
}

impl Unit {
    /// The name for people.
    pub fn name(self, language: Language) -> &'static str {
        let six: Six = match self {
            Self::TechnicianMeeting => [
                "فني لكل جلسة",
                "technician per meeting",
                "técnico por reunión",
                "technicien par réunion",
                "техник на одно заседание",
                "每名技术员每次会议",
            ],
            Self::Hour => [
                "ساعة لكل شخص",
                "hour per person",
                "hora por persona",
                "heure par personne",
                "час на человека",
                "每人每小时",
            ],
            Self::InterpreterDay => [
                "مترجم شفوي لكل يوم",
                "interpreter-day",
                "intérprete por día",
                "interprète par jour",
                "день работы устного переводчика",
                "每名口译员每天",
            ],
            Self::Meeting => ["جلسة", "meeting", "reunión", "réunion", "заседание", "每次会议"],
            Self::Day => ["يوم", "day", "día", "jour", "день", "每天"],
            Self::Event => [
                "المناسبة كلها",
                "whole event",
                "evento completo",
                "événement entier",
                "мероприятие в целом",
                "整场活动",
            ],
            Self::Participant => ["مشارك", "participant", "participante", "participant", "участник", "每名与会者"],
            Self::Page => ["صفحة", "page", "página", "page", "страница", "每页"],
            Self::Precedent => [
                "مجموع ما دُفع لمناسبة سابقة",
                "paid for a past event as a whole",
                "pagado en total por un evento anterior",
                "payé au total pour un événement passé",
                "уплачено за прошлое мероприятие в целом",
                "以往某次活动的总费用",
            ],
            Self::Share => ["نسبة مئوية", "percentage", "porcentaje", "pourcentage", "процентная доля", "百分比"],
        };
        say(language, six)
    }
}

impl Base {
    /// The name for people.
    pub fn name(self, language: Language) -> &'static str {
        let six: Six = match self {
            Self::Charges => [
                "جميع الخدمات المسعَّرة",
                "all priced services",
                "todos los servicios con precio",
                "l'ensemble des services chiffrés",
                "все услуги, имеющие цену",
                "全部计价服务",
            ],
            Self::StaffTime => [
                "وقت الموظفين",
                "staff time",
                "tiempo de trabajo del personal",
                "temps de travail du personnel",
                "рабочее время персонала",
                "工作人员工时",
            ],
            Self::Expenditure => [
                "نفقات الأمم المتحدة",
                "expenditure of the United Nations",
                "gastos de las Naciones Unidas",
                "dépenses de l'Organisation des Nations Unies",
                "расходы Организации Объединенных Наций",
                "联合国支出",
            ],
            Self::EstimatedCost => [
                "التكلفة التقديرية",
                "estimated cost",
                "costo estimado",
                "coût estimatif",
                "сметная стоимость",
                "估计费用",
            ],
        };
        say(language, six)
    }
}

impl Reason<'_> {
    /// The reason in a sentence.
    pub fn text(&self, language: Language) -> String {
        match self {
            Self::Always => say(language, ALWAYS).to_owned(),
            Self::Requested => say(language, REQUESTED).to_owned(),
            Self::Interpreters { team, staffing } => {
                let source = staffing.provenance.citation.as_deref().unwrap_or(staffing.title.get(language).1);
                fill(language, INTERPRETERS, &[("{team}", team), ("{source}", &source)])
            }
            Self::WithinRegularHours { hours, sessions, of } => in_hours(language, WITHIN, *hours, *sessions, *of),
            Self::OutsideRegularHours { hours, sessions, of } => in_hours(language, OUTSIDE, *hours, *sessions, *of),
            Self::Share { percent, of, base, above } => {
                let share = fill(
                    language,
                    SHARE,
                    &[("{percent}", &plain(*percent)), ("{of}", &of.name(language)), ("{base}", base)],
                );
                match above {
                    Some(above) => share + &fill(language, ABOVE, &[("{above}", above)]),
                    None => share,
                }
            }
            Self::Cancelled { notice, needed } => {
                fill(language, CANCELLED, &[("{notice}", notice), ("{needed}", needed)])
            }
        }
    }
}

impl Why<'_> {
    /// The reason in a sentence.
    pub fn text(&self, language: Language) -> String {
        match self {
            Self::NoRate => say(language, NO_RATE).to_owned(),
            Self::NotUnderThesePlans => say(language, DOES_NOT_APPLY).to_owned(),
            Self::NotOffered { rule, .. } => rule.text.get(language).1.to_owned(),
            Self::OnlyPrecedent { rate, .. } => {
                let price = match rate.charge {
                    super::Charge::Price(price) => price.to_string(),
                    super::Charge::Percentage { percent, .. } => format!("{} %", plain(percent)),
                };
                fill(language, PRECEDENT, &[("{item}", &rate.item.get(language).1), ("{price}", &price)])
            }
            Self::UnknownTeam => say(language, UNKNOWN_TEAM).to_owned(),
            Self::UnknownParticipants => say(language, UNKNOWN_PARTICIPANTS).to_owned(),
        }
    }
}

impl Basis {
    /// How far to rely on it, in a sentence.
    pub fn text(&self, language: Language) -> String {
        match self {
            Self::Current => say(language, CURRENT).to_owned(),
            Self::Undated => say(language, UNDATED).to_owned(),
            Self::Historical(years) => fill(language, HISTORICAL, &[("{years}", &listed(language, years))]),
        }
    }
}

impl Basis {
    /// The same of a rule; nothing when it is in force.
    pub fn rule_text(&self, language: Language) -> Option<String> {
        match self {
            Self::Current => None,
            Self::Undated => Some(say(language, UNDATED_RULE).to_owned()),
            Self::Historical(years) => Some(fill(language, HISTORICAL_RULE, &[("{years}", &listed(language, years))])),
        }
    }
}

impl Alternative {
    /// What to do differently, in a sentence.
    pub fn text(self, language: Language) -> String {
        match self {
            Self::RegularHours(hours) => in_hours(language, MOVE, hours, 0, 0),
            Self::OneTechnicianFewer { technicians } => fill(language, FEWER, &[("{technicians}", &technicians)]),
            Self::EarlierCancellation { notice } => fill(language, EARLIER, &[("{notice}", &notice)]),
        }
    }
}

fn in_hours(language: Language, six: Six, hours: RegularHours, sessions: usize, of: usize) -> String {
    let (from, until) = (hours.from().format("%H:%M"), hours.until().format("%H:%M"));
    fill(language, six, &[("{from}", &from), ("{until}", &until), ("{sessions}", &sessions), ("{of}", &of)])
}

fn listed(language: Language, years: &Years) -> String {
    let years = years.iter().map(i32::to_string).collect::<Vec<_>>();
    years.join(say(language, ["، ", ", ", ", ", ", ", ", ", "、"]))
}

fn plain(percent: Decimal) -> String {
    percent.normalize().to_string()
}

const ALWAYS: Six = [
    "يُحمَّل على كل مناسبة من هذا القبيل، سواء طُلبت الخدمة أم لم تُطلب.",
    "Charged for every such event, asked for or not.",
    "Se cobra en todo evento de este tipo, se solicite o no.",
    "Facturé pour tout événement de ce type, que le service soit demandé ou non.",
    "Взимается за каждое такое мероприятие независимо от того, запрошена ли услуга.",
    "凡此类活动均须收取，无论是否申请。",
];
const REQUESTED: Six = [
    "طلبتم هذه الخدمة.",
    "You asked for this service.",
    "Usted solicitó este servicio.",
    "Vous avez demandé ce service.",
    "Вы запросили эту услугу.",
    "您申请了此项服务。",
];
const INTERPRETERS: Six = [
    "طلبتم الترجمة الشفوية؛ عدد أفراد فريق المترجمين الشفويين اللازم لهذه اللغات: {team} (المصدر: {source}).",
    "You asked for interpretation; interpreters in a team for these languages: {team} (source: {source}).",
    "Usted solicitó interpretación; intérpretes del equipo necesario para estos idiomas: {team} (fuente: {source}).",
    "Vous avez demandé l'interprétation ; interprètes de l'équipe requise pour ces langues : {team} (source : {source}).",
    "Вы запросили устный перевод; численность бригады переводчиков для этих языков: {team} (источник: {source}).",
    "您申请了口译；这些语种所需口译员人数：{team}（来源：{source}）。",
];
const WITHIN: Six = [
    "طلبتم هذه الخدمة خلال ساعات العمل العادية، من {from} إلى {until}، من الاثنين إلى الجمعة؛ الجلسات المعنية: {sessions} من أصل {of}.",
    "You asked for this service within the regular hours of {from} to {until}, Monday to Friday; sessions concerned: {sessions} of {of}.",
    "Usted solicitó este servicio dentro del horario ordinario, de {from} a {until}, de lunes a viernes; sesiones afectadas: {sessions} de {of}.",
    "Vous avez demandé ce service pendant les heures normales, de {from} à {until}, du lundi au vendredi ; séances concernées : {sessions} sur {of}.",
    "Вы запросили эту услугу в обычные часы работы ({from}–{until}, понедельник — пятница); число таких заседаний: {sessions} из {of}.",
    "您申请在正常时间（周一至周五{from}至{until}）内提供此项服务；涉及场次：{of}场中的{sessions}场。",
];
const OUTSIDE: Six = [
    "يُحمَّل لقاء الوقت الواقع خارج ساعات العمل العادية، من {from} إلى {until}، من الاثنين إلى الجمعة؛ الجلسات المعنية: {sessions} من أصل {of}.",
    "Charged for time outside the regular hours of {from} to {until}, Monday to Friday; sessions concerned: {sessions} of {of}.",
    "Se cobra por el tiempo fuera del horario ordinario, de {from} a {until}, de lunes a viernes; sesiones afectadas: {sessions} de {of}.",
    "Facturé pour le temps en dehors des heures normales, de {from} à {until}, du lundi au vendredi ; séances concernées : {sessions} sur {of}.",
    "Взимается за время вне обычных часов работы ({from}–{until}, понедельник — пятница); число таких заседаний: {sessions} из {of}.",
    "对正常时间（周一至周五{from}至{until}）以外的时间收费；涉及场次：{of}场中的{sessions}场。",
];
const SHARE: Six = [
    "نسبة {percent} في المائة من: {of} ({base}).",
    "{percent}% of: {of} ({base}).",
    "{percent} % de: {of} ({base}).",
    "{percent} % de la base suivante : {of} ({base}).",
    "{percent} % от следующей базы: {of} ({base}).",
    "按以下基数的{percent}%收取：{of}（{base}）。",
];
const ABOVE: Six = [
    " لا تُستحق إلا إذا تجاوز هذا الأساس {above}.",
    " Due only where that exceeds {above}.",
    " Solo se debe si esa base supera {above}.",
    " Dû seulement si cette base dépasse {above}.",
    " Подлежит уплате, только если база превышает {above}.",
    "仅在该基数超过{above}时收取。",
];
const CANCELLED: Six = [
    "إلغاء متأخر: مهلة الإشعار بالأيام: {notice}؛ المهلة المطلوبة: {needed} على الأقل.",
    "Late cancellation: notice in days: {notice}; asked for: at least {needed}.",
    "Cancelación tardía: días de preaviso: {notice}; se exigen al menos: {needed}.",
    "Annulation tardive : préavis en jours : {notice} ; requis : au moins {needed}.",
    "Поздняя отмена: срок уведомления в днях: {notice}; требуется не менее: {needed}.",
    "取消过晚：提前通知天数：{notice}；要求至少提前天数：{needed}。",
];
const NO_RATE: Six = [
    "لا يُعرف سعر لهذه الخدمة في مركز العمل هذا لهذا النوع من المناسبات.",
    "No rate for this service is known at this duty station for this kind of event.",
    "No se conoce ninguna tarifa de este servicio en este lugar de destino para este tipo de evento.",
    "Aucun tarif n'est connu pour ce service dans ce lieu d'affectation et pour ce type d'événement.",
    "Расценки на эту услугу в данном месте службы для такого мероприятия неизвестны.",
    "尚不掌握该工作地点此类活动的此项服务费率。",
];
const DOES_NOT_APPLY: Six = [
    "لا تنطبق الأسعار المعروفة على هذه الأوقات أو على مهلة الإشعار هذه أو على تكلفة بهذا الحجم.",
    "The rates known do not apply to these hours, to this length of notice or to a cost of this size.",
    "Las tarifas conocidas no se aplican a este horario, a este plazo de preaviso ni a un costo de esta cuantía.",
    "Les tarifs connus ne s'appliquent ni à ces horaires, ni à ce préavis, ni à un coût de ce montant.",
    "Известные расценки не распространяются на эти часы, на такой срок уведомления или на расходы такого размера.",
    "已知费率不适用于这一时段、这一通知期限或这一金额的费用。",
];
const PRECEDENT: Six = [
    "لا يُعرف إلا ما دُفع لمناسبة سابقة: {item} ({price}).",
    "All that is known is what one past event paid: {item} ({price}).",
    "Solo se conoce lo que se pagó por un evento anterior: {item} ({price}).",
    "On connaît seulement le montant payé pour un événement passé : {item} ({price}).",
    "Известно лишь, сколько было уплачено за одно прошлое мероприятие: {item} ({price}).",
    "仅掌握以往一次活动的费用：{item}（{price}）。",
];
const UNKNOWN_TEAM: Six = [
    "لا يُعرف عدد المترجمين الشفويين اللازم لهذه اللغات.",
    "It is not known how many interpreters these languages need.",
    "No se sabe cuántos intérpretes requieren estos idiomas.",
    "On ignore combien d'interprètes ces langues exigent.",
    "Неизвестно, сколько устных переводчиков требуется для этих языков.",
    "尚不掌握这些语种所需的口译员人数。",
];
const UNKNOWN_PARTICIPANTS: Six = [
    "السعر محدد لكل مشارك؛ يُرجى ذكر عدد المشاركين.",
    "The rate is for each participant; please give their number.",
    "La tarifa es por participante; indique el número de participantes.",
    "Le tarif est fixé par participant ; veuillez en indiquer le nombre.",
    "Расценка установлена на одного участника; укажите число участников.",
    "费率按与会者人数计算；请填写人数。",
];
const CURRENT: Six = [
    "وفقا للمصادر، تسري هذه الأسعار في مواعيد المناسبة؛ والمكتب الذي يصدر الفاتورة هو الذي يؤكدها.",
    "According to the sources these rates hold on the dates of the event; the office that bills confirms them.",
    "Según las fuentes, estas tarifas rigen en las fechas del evento; la oficina que factura las confirma.",
    "Selon les sources, ces tarifs sont en vigueur aux dates de l'événement ; le bureau qui facture les confirme.",
    "Согласно источникам, эти расценки действуют в дни мероприятия; их подтверждает выставляющее счет подразделение.",
    "据资料来源，这些费率在活动日期有效；以开具账单的部门确认为准。",
];
const UNDATED: Six = [
    "أسعار من مصدر غير مؤرخ: تبين حجم التكلفة التقريبي ولا تشكل تعريفة.",
    "Rates from a source that bears no date: an order of magnitude, not a tariff.",
    "Tarifas de una fuente sin fecha: indican un orden de magnitud y no constituyen un baremo.",
    "Montants tirés d'une source non datée : un ordre de grandeur, non un barème.",
    "Расценки из источника без даты: порядок величины, а не действующий тариф.",
    "费率来源未注明日期：仅供估算数量级，并非现行收费标准。",
];
const HISTORICAL: Six = [
    "أسعار سابقة ({years}): تبين حجم التكلفة التقريبي ولا تشكل تعريفة.",
    "Historical rates ({years}): an order of magnitude, not a tariff.",
    "Tarifas históricas ({years}): indican un orden de magnitud y no constituyen un baremo.",
    "Montants historiques ({years}) : un ordre de grandeur, non un barème.",
    "Расценки прошлых лет ({years}): порядок величины, а не действующий тариф.",
    "历史费率（{years}）：仅供估算数量级，并非现行收费标准。",
];
const UNDATED_RULE: Six = [
    "من مصدر غير مؤرخ: يُرجى التحقق من أن القاعدة لا تزال سارية.",
    "From a source that bears no date: ask whether it still holds.",
    "De una fuente sin fecha: pregunte si sigue vigente.",
    "Tiré d'une source non datée : vérifiez que la règle est toujours en vigueur.",
    "Из источника без даты: уточните, действует ли это правило.",
    "来源未注明日期：请核实是否仍然有效。",
];
const HISTORICAL_RULE: Six = [
    "قاعدة من سنوات سابقة ({years}): يُرجى التحقق من أنها لا تزال سارية.",
    "A rule of other years ({years}): ask whether it still holds.",
    "Norma de otros años ({years}): pregunte si sigue vigente.",
    "Règle d'autres années ({years}) : vérifiez qu'elle est toujours en vigueur.",
    "Правило прошлых лет ({years}): уточните, действует ли оно.",
    "往年规则（{years}）：请核实是否仍然有效。",
];
const MOVE: Six = [
    "عقد المناسبة خلال ساعات العمل العادية، من {from} إلى {until}، من الاثنين إلى الجمعة.",
    "Hold the event within the regular hours of {from} to {until}, Monday to Friday.",
    "Celebrar el evento dentro del horario ordinario, de {from} a {until}, de lunes a viernes.",
    "Tenir l'événement pendant les heures normales, de {from} à {until}, du lundi au vendredi.",
    "Провести мероприятие в обычные часы работы ({from}–{until}, понедельник — пятница).",
    "将活动安排在正常时间（周一至周五{from}至{until}）内。",
];
const FEWER: Six = [
    "طلب عدد أقل من الفنيين؛ العدد المتبقي: {technicians}.",
    "Ask for one technician fewer; technicians left: {technicians}.",
    "Solicitar un técnico menos; técnicos restantes: {technicians}.",
    "Demander un technicien de moins ; techniciens restants : {technicians}.",
    "Запросить на одного техника меньше; останется техников: {technicians}.",
    "减少一名技术员；剩余人数：{technicians}。",
];
const EARLIER: Six = [
    "إلغاء المناسبة بمهلة إشعار لا تقل عن عدد الأيام التالي: {notice}.",
    "Cancel earlier; days of notice, at least: {notice}.",
    "Cancelar antes; días de preaviso, como mínimo: {notice}.",
    "Annuler plus tôt ; préavis en jours, au moins : {notice}.",
    "Отменить раньше; срок уведомления в днях, не менее: {notice}.",
    "提早取消；提前通知天数至少：{notice}。",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_template_keeps_a_placeholder() {
        let hours = RegularHours::parse(
            super::super::parse_time("10:00").unwrap_or_default(),
            super::super::parse_time("18:00").unwrap_or_default(),
        )
        .unwrap();
        let base = super::super::Price::zero(iso_currency::Currency::USD);
        let share = Reason::Share { percent: Decimal::TEN, of: Base::Expenditure, base, above: Some(base) };
        for language in Language::ALL {
            let texts = [
                share.text(language),
                Reason::OutsideRegularHours { hours, sessions: 1, of: 2 }.text(language),
                Reason::WithinRegularHours { hours, sessions: 1, of: 2 }.text(language),
                Reason::Cancelled { notice: 3, needed: 14 }.text(language),
                Basis::Historical([2012, 2016].into()).text(language),
                Alternative::RegularHours(hours).text(language),
                Alternative::OneTechnicianFewer { technicians: 2 }.text(language),
                Alternative::EarlierCancellation { notice: 14 }.text(language),
            ];
            for text in texts {
                assert!(!text.contains(['{', '}']), "{text}");
            }
        }
    }
}
