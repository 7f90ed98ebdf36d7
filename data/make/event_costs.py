#!/usr/bin/env python3
"""Makes data/demonstration/event-costs.ndjson, import lines of kind rate_card, from data/facts/event_costs.json.

Amounts, currencies, years and addresses come from the facts; how a fact was read and the words in six
languages stand here. A fact that no card uses, and a reading whose fact has changed, stop the run.
"""

import json
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent
FACTS = json.loads((DATA / "facts/event_costs.json").read_text(encoding="utf-8"))
LANGUAGES = ("ar", "en", "es", "fr", "ru", "zh")


def six(ar, en, es, fr, ru, zh):
    return dict(zip(LANGUAGES, (ar, en, es, fr, ru, zh)))


def with_sources(facts):
    """The facts by number, with "same" replaced by the source above it."""
    found, last = {}, None
    for number, fact in enumerate(facts):
        last = last if fact["source"] == "same" else fact["source"]
        found[number] = dict(fact, source=last)
    return found


RATES, RULES = with_sources(FACTS["rates"]), with_sources(FACTS["rules"])
USED = set()


def fact(kind, facts, beginning):
    """The one fact whose text begins so."""
    text = {"rate": "item", "rule": "rule"}[kind]
    found = [n for n, f in facts.items() if f[text].startswith(beginning)]
    if len(found) != 1:
        sys.exit(f"{len(found)} {kind}s begin with {beginning!r}")
    USED.add((kind, found[0]))
    return facts[found[0]]


def provenance(source, confidence="reported", year=None):
    # where only a year is known: true then, perhaps longer
    since = {"as_of": f"{year}-01-01"} if year else {}
    return {"confidence": confidence, "citation": source} | since


def money(number):
    return f"{number:.2f}"


def rate(beginning, code, category, unit, item, when="on_request", confidence="reported", of=None, **more):
    f = fact("rate", RATES, beginning)
    if "percent" in f:
        charge = {"percent": str(f["percent"]), "of": of}
        if "above" in more:
            charge["above"] = more.pop("above")
    elif "amount" in f:
        charge = {"amount": money(f["amount"])}
    else:
        charge = {"low": money(f["amount_min"]), "high": money(f["amount_max"])}
    line = {"code": code, "category": category, "unit": unit, "item": item, "charge": charge, "applies_when": when}
    if f.get("currency", "USD") != "USD":
        line["currency"] = f["currency"]
    return line | more | {"provenance": provenance(f["source"], confidence, f.get("year"))}


def rule(beginning, code, text, effect="informs", confidence="reported", **more):
    f = fact("rule", RULES, beginning)
    return {"code": code, "effect": effect, "text": text} | more | {"provenance": provenance(f["source"], confidence)}


def card(key, station, title, source, rates=(), rules=(), years=None, inferred=False, confidence="reported", **more):
    line = {"kind": "rate_card", "key": key, "audience": "delegates"}
    if station:
        line["duty_station"] = station
    line["title"] = title
    if years:
        line["valid_from"] = f"{years[0]}-01-01"
        line["valid_until"] = f"{years[1]}-12-31"
        if inferred:
            line["validity_inferred"] = True
    line |= {"currency": "USD"} | more | {"provenance": provenance(source, confidence, years and years[0])}
    return line | {"rates": list(rates), "rules": list(rules)}


def office(name, kind="united_nations", unit=None):
    return {"name": name, "kind": kind} | ({"unit": unit} if unit else {})


BCSS = office(six(
    "قسم دعم البث والمؤتمرات",
    "Broadcast and Conference Support Section",
    "Sección de Apoyo a las Transmisiones y Conferencias",
    "Section de l'appui à la radiotélédiffusion et aux conférences",
    "Секция технической поддержки вещания и конференций",
    "广播和会议支助科",
), unit="bcss")
FACILITIES = office(six(
    "إدارة الشؤون الإدارية (المرافق)",
    "Department of Management (facilities)",
    "Departamento de Gestión (instalaciones)",
    "Département de la gestion (installations)",
    "Департамент по вопросам управления (эксплуатация зданий)",
    "管理事务部(设施)",
), unit="dmspc")
DSS = office(six(
    "إدارة شؤون السلامة والأمن",
    "Department of Safety and Security",
    "Departamento de Seguridad",
    "Département de la sûreté et de la sécurité",
    "Департамент по вопросам охраны и безопасности",
    "安全和安保部",
), unit="dss")
OUTSIDE = office(six(
    "مورِّد خارجي",
    "Outside supplier",
    "Proveedor externo",
    "Prestataire extérieur",
    "Внешний поставщик",
    "外部供应商",
), "external")
ECA = office(six(
    "مركز المؤتمرات التابع للجنة الاقتصادية لأفريقيا",
    "Conference Centre of the Economic Commission for Africa",
    "Centro de Conferencias de la Comisión Económica para África",
    "Centre de conférences de la Commission économique pour l'Afrique",
    "Конференционный центр Экономической комиссии для Африки",
    "非洲经济委员会会议中心",
), unit="eca")

TEN_TO_SIX = {"from": "10:00", "until": "18:00"}
SIDE_EVENTS = ["side_event"]
SEVERAL = "several pages, named at each rate and rule"


def new_york_2016():
    # "regular hours" is the rate of every meeting; the "additional" one comes on top of it outside 10:00-18:00
    rates = [
        rate(
            "AV technician (BCSS), regular hours", "av-technician", "audiovisual", "technician_meeting",
            six(
                "فني سمعي بصري، ساعات العمل العادية من 10:00 إلى 18:00",
                "Audiovisual technician, regular hours 10:00 to 18:00",
                "Técnico audiovisual, horario ordinario de 10:00 a 18:00",
                "Technicien audiovisuel, heures normales de 10 heures à 18 heures",
                "Аудиовизуальный техник, обычные часы работы с 10:00 до 18:00",
                "视听技术员,正常时间10:00至18:00",
            ),
            office=BCSS,
        ),
        rate(
            "AV technician, extra support", "av-technician-additional", "audiovisual", "technician_meeting",
            six(
                "فني سمعي بصري، مبلغ إضافي للعمل خارج الفترة من 10:00 إلى 18:00",
                "Audiovisual technician, additional outside 10:00 to 18:00",
                "Técnico audiovisual, suplemento fuera del horario de 10:00 a 18:00",
                "Technicien audiovisuel, supplément en dehors de 10 heures à 18 heures",
                "Аудиовизуальный техник, доплата за работу вне времени с 10:00 до 18:00",
                "视听技术员,10:00至18:00以外时间的附加费",
            ),
            when="outside_regular_hours", regular_hours=TEN_TO_SIX, office=BCSS,
            note=six(
                "يُطبَّق المبلغ الإضافي نفسه على الدعم الإضافي خلال ساعات العمل العادية.",
                "The source asks the same additional amount for extra support within regular hours.",
                "La fuente indica el mismo suplemento para el apoyo adicional dentro del horario ordinario.",
                "La source indique le même supplément pour un appui additionnel pendant les heures normales.",
                "Согласно источнику, такая же доплата взимается за дополнительную поддержку в обычные часы.",
                "据资料来源,正常时间内的额外支助收取同样的附加费。",
            ),
        ),
        rate(
            "Engineering supervisor", "engineering-supervisor", "engineering", "hour",
            six(
                "مشرف هندسي بعد ساعات العمل",
                "Engineering supervisor, after hours",
                "Supervisor técnico, fuera de horario",
                "Superviseur technique, après les heures de travail",
                "Инженер-смотритель, в нерабочее время",
                "工程主管,下班后",
            ),
            when="outside_regular_hours", regular_hours=TEN_TO_SIX, office=FACILITIES,
            note=six(
                "لا يحدد المصدر متى تبدأ الفترة التي تلي ساعات العمل؛ وقد استُخدمت ساعات الفنيين.",
                "The source does not say when after hours begins; the technicians' hours were taken.",
                "La fuente no dice cuándo comienza el horario extraordinario; se tomó el de los técnicos.",
                "La source ne précise pas quand finissent les heures de travail ; celles des techniciens ont été retenues.",
                "Источник не указывает, когда начинается нерабочее время; взяты часы работы техников.",
                "资料来源未说明何时起算下班时间;此处采用技术员的工作时间。",
            ),
        ),
        rate(
            "Security for an average event", "security", "security", "event",
            six(
                "الأمن لمناسبة متوسطة الحجم",
                "Security for an average event",
                "Seguridad para un evento medio",
                "Sécurité pour un événement moyen",
                "Охрана мероприятия среднего размера",
                "一般规模活动的安保",
            ),
            when="always", confidence="inferred", office=DSS,
            note=six(
                "مبلغ تقريبي يُحمَّل على جميع المناسبات، ويتوقف على حجم المجموعة وتكوينها وعلى القاعة؛ وقد يُقصد به في المصدر المناسبة بأكملها.",
                "Approximate; charged for all events, and depends on the size and make-up of the group and on the room. The source may mean the whole event.",
                "Importe aproximado; se cobra en todos los eventos y depende del tamaño y la composición del grupo y de la sala. La fuente puede referirse al evento completo.",
                "Montant approximatif, facturé pour tous les événements ; il dépend de la taille et de la composition du groupe ainsi que de la salle. La source vise peut-être l'événement entier.",
                "Приблизительная сумма; взимается за все мероприятия и зависит от численности и состава группы и от зала. Возможно, в источнике имеется в виду мероприятие в целом.",
                "约数;所有活动均须收取,视人数、人员构成和会议室而定。资料来源所指可能是整场活动。",
            ),
        ),
    ]
    interpretation = "UN interpretation is not available"
    rules = [
        rule(
            interpretation, "no-interpretation-for-side-events",
            six(
                "لا تتاح الترجمة الشفوية التي توفرها الأمم المتحدة للمناسبات الجانبية.",
                "Interpretation by the United Nations is not available for side events.",
                "Las Naciones Unidas no proporcionan interpretación para los eventos paralelos.",
                "L'Organisation des Nations Unies n'assure pas l'interprétation des manifestations parallèles.",
                "Организация Объединенных Наций не обеспечивает устный перевод на параллельных мероприятиях.",
                "联合国不为会外活动提供口译服务。",
            ),
            "not_offered", categories=["interpretation"], kinds=SIDE_EVENTS,
        ),
        rule(
            interpretation, "lettered-rooms-have-no-booths",
            six(
                "لا توجد مقصورات للترجمة الشفوية في قاعات الاجتماع المسماة بالحروف.",
                "Conference rooms named by letters have no interpreters' booths.",
                "Las salas de conferencias designadas con letras no tienen cabinas de interpretación.",
                "Les salles de conférence désignées par une lettre n'ont pas de cabines d'interprétation.",
                "В залах заседаний, обозначенных буквами, нет кабин для устных переводчиков.",
                "以字母命名的会议室没有口译厢。",
            ),
            kinds=["meeting", "side_event"],
        ),
        rule(
            interpretation, "no-webcast-in-room-b",
            six(
                "لا يتاح البث الشبكي من قاعة الاجتماع B.",
                "There is no webcast from Conference Room B.",
                "No hay transmisión web desde la Sala de Conferencias B.",
                "Aucune diffusion sur le Web n'est possible depuis la salle de conférence B.",
                "Из зала заседаний B веб-трансляция не ведется.",
                "B会议室不提供网播。",
            ),
            categories=["webcast"],
        ),
        rule(
            "Special event tickets", "special-event-tickets",
            six(
                "تطلب البعثة الدائمة أو مكتب الأمم المتحدة (بواسطة شخص مخوَّل بالتوقيع) تذاكر المناسبات الخاصة من وحدة التخطيط الأمني للمناسبات قبل 48 ساعة على الأقل.",
                "Tickets for special events: a Permanent Mission or a United Nations office (an authorized signatory) asks the Security Event Planning Unit at least 48 hours before.",
                "Entradas para actos especiales: una Misión Permanente o una oficina de las Naciones Unidas (signatario autorizado) las solicita a la Dependencia de Planificación de la Seguridad de los Actos con al menos 48 horas de antelación.",
                "Billets pour les manifestations spéciales : une mission permanente ou un bureau de l'Organisation (signataire autorisé) en fait la demande au Groupe de la planification de la sécurité des manifestations au moins 48 heures à l'avance.",
                "Билеты на специальные мероприятия: постоянное представительство или подразделение Организации (уполномоченное лицо) запрашивает их у Группы планирования безопасности мероприятий не позднее чем за 48 часов.",
                "特别活动入场券:由常驻代表团或联合国部门(授权签字人)至少提前48小时向活动安保规划股申请。",
            ),
            lead_hours=48,
        ),
    ]
    return card(
        "ny-2016", "NY",
        six(
            "تكاليف المناسبات في مقر الأمم المتحدة، 2016",
            "Costs of events at Headquarters, 2016",
            "Costos de los eventos en la Sede, 2016",
            "Coûts des manifestations au Siège, 2016",
            "Стоимость мероприятий в Центральных учреждениях, 2016 год",
            "总部活动费用,2016年",
        ),
        RATES[0]["source"], rates, rules, years=(2016, 2016), inferred=True,
    )


def new_york_2012():
    rates = [
        rate(
            "BCSS package", "room-package", "room", "event",
            six(
                "قاعة مجهزة بجهاز عرض وشاشة وصوت وميكروفونات",
                "Room with projector, screen, sound and microphones",
                "Sala con proyector, pantalla, sonido y micrófonos",
                "Salle avec projecteur, écran, sonorisation et microphones",
                "Зал с проектором, экраном, звуком и микрофонами",
                "配有投影仪、屏幕、音响和话筒的会议室",
            ),
            kinds=SIDE_EVENTS, office=BCSS,
            note=six(
                "تصدر الفاتورة قبل شهر.",
                "Invoiced one month before.",
                "Se factura con un mes de antelación.",
                "Facturé un mois à l'avance.",
                "Счет выставляется за месяц.",
                "提前一个月开具账单。",
            ),
        ),
        rate(
            "CART (captioning)", "captioning", "captioning", "event",
            six(
                "العرض النصي الفوري للكلام، من مورِّد خارجي",
                "Captioning (CART), from outside the United Nations",
                "Subtitulado en tiempo real (CART), no proporcionado por las Naciones Unidas",
                "Sous-titrage en temps réel (CART), non fourni par l'Organisation",
                "Субтитры в реальном времени (CART), предоставляются не Организацией",
                "实时字幕(CART),不由联合国提供",
            ),
            office=OUTSIDE,
            note=six(
                "كان إلزاميا في المناسبات الجانبية للمؤتمر الذي صدر عنه المصدر.",
                "It was mandatory at the side events of the conference that the source is from.",
                "Era obligatorio en los eventos paralelos de la conferencia de la que procede la fuente.",
                "Il était obligatoire lors des manifestations parallèles de la conférence dont provient la source.",
                "Было обязательным на параллельных мероприятиях конференции, к которой относится источник.",
                "在资料来源所涉会议的会外活动中为强制要求。",
            ),
        ),
        rate(
            "Sign-language interpretation", "sign-language", "sign_language", "event",
            six(
                "الترجمة الشفوية بلغة الإشارة، من مورِّد خارجي",
                "Sign-language interpretation, from outside the United Nations",
                "Interpretación en lengua de señas, no proporcionada por las Naciones Unidas",
                "Interprétation en langue des signes, non fournie par l'Organisation",
                "Перевод на жестовый язык, предоставляется не Организацией",
                "手语翻译,不由联合国提供",
            ),
            office=OUTSIDE,
        ),
    ]
    return card(
        "ny-2012", "NY",
        six(
            "المناسبات الجانبية في مقر الأمم المتحدة، 2012",
            "Side events at Headquarters, 2012",
            "Eventos paralelos en la Sede, 2012",
            "Manifestations parallèles au Siège, 2012",
            "Параллельные мероприятия в Центральных учреждениях, 2012 год",
            "总部会外活动,2012年",
        ),
        rates[0]["provenance"]["citation"], rates, years=(2012, 2012),
    )


def new_york_practice():
    freelance = rate(
        "Freelance interpreter", "freelance-interpreter", "interpretation", "interpreter_day",
        six(
            "مترجم شفوي مستقل",
            "Freelance interpreter",
            "Intérprete independiente",
            "Interprète indépendant",
            "Внештатный устный переводчик",
            "自由口译员",
        ),
        note=six(
            "مأخوذ من نص فيديو يستشهد بالاتفاق بين الرابطة الدولية لمترجمي المؤتمرات والأمم المتحدة؛ يبين حجم التكلفة التقريبي فقط.",
            "From the transcript of a video that quotes the agreement between AIIC and the United Nations: an order of magnitude.",
            "De la transcripción de un vídeo que cita el acuerdo entre la AIIC y las Naciones Unidas: solo un orden de magnitud.",
            "Tiré de la transcription d'une vidéo citant l'accord entre l'AIIC et l'Organisation : un ordre de grandeur.",
            "Из расшифровки видеозаписи, в которой цитируется соглашение между АИИК и Организацией: лишь порядок величины.",
            "摘自引用国际会议口译员协会与联合国协定的视频文字记录:仅供估算数量级。",
        ),
    )
    rules = [
        rule(
            "Normal meetings 10:00-13:00", "normal-meeting-hours",
            six(
                "تُعقد الجلسات عادة من 10:00 إلى 13:00 ومن 15:00 إلى 18:00.",
                "Meetings are normally held from 10:00 to 13:00 and from 15:00 to 18:00.",
                "Las sesiones se celebran normalmente de 10:00 a 13:00 y de 15:00 a 18:00.",
                "Les séances ont normalement lieu de 10 heures à 13 heures et de 15 heures à 18 heures.",
                "Заседания обычно проводятся с 10:00 до 13:00 и с 15:00 до 18:00.",
                "会议通常在10:00至13:00和15:00至18:00举行。",
            ),
        ),
        rule(
            "Side events normally at lunch", "side-events-at-lunch",
            six(
                "تُعقد المناسبات الجانبية عادة في فترة الغداء، من 13:15 إلى 14:30.",
                "Side events are normally held at lunchtime, from 13:15 to 14:30.",
                "Los eventos paralelos se celebran normalmente a la hora del almuerzo, de 13:15 a 14:30.",
                "Les manifestations parallèles ont normalement lieu à l'heure du déjeuner, de 13 h 15 à 14 h 30.",
                "Параллельные мероприятия обычно проводятся в обеденный перерыв, с 13:15 до 14:30.",
                "会外活动通常在午餐时间13:15至14:30举行。",
            ),
            kinds=SIDE_EVENTS,
        ),
        rule(
            "Intergovernmental meetings have priority", "intergovernmental-meetings-first",
            six(
                "للاجتماعات الحكومية الدولية الأولوية؛ وقد تُلغى مناسبة جانبية في اللحظة الأخيرة.",
                "Intergovernmental meetings have priority; a side event may be cancelled at the last minute.",
                "Las reuniones intergubernamentales tienen prioridad; un evento paralelo puede cancelarse a última hora.",
                "Les réunions intergouvernementales ont la priorité ; une manifestation parallèle peut être annulée au dernier moment.",
                "Межправительственные заседания имеют приоритет; параллельное мероприятие может быть отменено в последний момент.",
                "政府间会议优先;会外活动可能在最后一刻被取消。",
            ),
            kinds=SIDE_EVENTS,
        ),
    ]
    return card(
        "ny-practice", "NY",
        six(
            "الممارسة المتبعة في مقر الأمم المتحدة",
            "Practice at Headquarters",
            "Práctica en la Sede",
            "Pratique au Siège",
            "Практика Центральных учреждений",
            "总部惯例",
        ),
        SEVERAL, [freelance], rules,
    )


def everywhere():
    support = rate(
        "Programme support cost", "programme-support", "programme_support", "share",
        six(
            "تكاليف دعم البرامج (النسبة الموحدة في الأمم المتحدة)",
            "Programme support cost (United Nations standard)",
            "Gastos de apoyo a los programas (norma de las Naciones Unidas)",
            "Dépenses d'appui aux programmes (taux standard de l'Organisation)",
            "Расходы на вспомогательное обслуживание программ (стандартная ставка Организации)",
            "方案支助费用(联合国标准)",
        ),
        when="always", of="expenditure",
    )
    yield card(
        "programme-support", None,
        six(
            "تكاليف دعم البرامج",
            "Programme support cost",
            "Gastos de apoyo a los programas",
            "Dépenses d'appui aux programmes",
            "Расходы на вспомогательное обслуживание программ",
            "方案支助费用",
        ),
        # that it held for 1980 alone is our reading: the source does not say until when
        support["provenance"]["citation"], [support], years=(1980, 1980), inferred=True,
    )
    team = fact("rate", RATES, "Interpretation team, six languages")
    interpreters = {"ar": 3, "zh": 3, "en": 2, "es": 2, "fr": 2, "ru": 2}
    if sum(interpreters.values()) != team["quantity"]:
        sys.exit("the team of interpreters has another size")
    yield card(
        "interpretation-team", None,
        six(
            "فريق الترجمة الشفوية باللغات الست",
            "Interpretation team, six languages",
            "Equipo de interpretación, seis idiomas",
            "Équipe d'interprétation, six langues",
            "Бригада устных переводчиков, шесть языков",
            "六种语文口译组",
        ),
        team["source"], interpreters=interpreters,
    )
    exchange = rule(
        "UN operational rate of exchange", "operational-rate-of-exchange",
        six(
            "سعر الصرف المعمول به في الأمم المتحدة شهري، ويُراجَع في منتصف الشهر للعملات التي تغيرت وحدها؛ ويسري أحدث سعر نفاذا.",
            "The United Nations operational rates of exchange are monthly, with a revision in mid-month for the currencies that changed; the newest effective date counts.",
            "Los tipos de cambio operacionales de las Naciones Unidas son mensuales, con una revisión a mediados de mes para las monedas que hayan variado; vale la fecha de entrada en vigor más reciente.",
            "Les taux de change opérationnels de l'Organisation sont mensuels et révisés en milieu de mois pour les seules monnaies qui ont varié ; la date d'effet la plus récente l'emporte.",
            "Операционные обменные курсы Организации устанавливаются ежемесячно и в середине месяца пересматриваются для изменившихся валют; действует курс с самой поздней датой вступления в силу.",
            "联合国业务汇率每月公布,月中仅对有变动的货币进行修订;以最新生效日期为准。",
        ),
    )
    yield card(
        "operational-rates-of-exchange", None,
        six(
            "أسعار الصرف المعمول بها في الأمم المتحدة",
            "United Nations operational rates of exchange",
            "Tipos de cambio operacionales de las Naciones Unidas",
            "Taux de change opérationnels de l'Organisation des Nations Unies",
            "Операционные обменные курсы Организации Объединенных Наций",
            "联合国业务汇率",
        ),
        exchange["provenance"]["citation"], rules=[exchange],
    )


def addis_ababa():
    fee = rate(
        "Administrative fee", "administrative-fee", "administration", "share",
        six(
            "رسم إداري لقاء وقت الموظفين خلال ساعات العمل",
            "Administrative fee for staff time in working hours",
            "Cargo administrativo por el tiempo del personal en horario laboral",
            "Frais administratifs pour le temps du personnel pendant les heures de travail",
            "Административный сбор за рабочее время персонала",
            "工作时间内工作人员工时的行政费",
        ),
        when="always", of="charges", office=ECA,
    )
    cancellation = rate(
        "Cancellation fee", "cancellation-fee", "cancellation", "share",
        six(
            "رسم إلغاء بإشعار مدته أقل من أسبوعين",
            "Cancellation fee, notice under two weeks",
            "Cargo por cancelación con menos de dos semanas de preaviso",
            "Frais d'annulation, préavis de moins de deux semaines",
            "Плата за отмену с уведомлением менее чем за две недели",
            "提前通知不足两周的取消费",
        ),
        when="cancelled_within", notice_days=14, of="estimated_cost",
        above={"amount": "5000.00", "currency": "USD"}, office=ECA,
    )
    deposit = rate(
        "Deposit", "deposit", "deposit", "share",
        six(
            "إيداع كامل التكلفة التقديرية",
            "Deposit of the whole estimated cost",
            "Depósito de la totalidad del costo estimado",
            "Dépôt de la totalité du coût estimatif",
            "Депозит в размере всей сметной стоимости",
            "全额预付估计费用",
        ),
        when="always", of="estimated_cost", office=ECA,
        note=six(
            "يُستحق قبل أسبوع.",
            "Due one week before.",
            "Debe abonarse con una semana de antelación.",
            "À verser une semaine à l'avance.",
            "Вносится за неделю.",
            "提前一周缴付。",
        ),
    )
    yield card(
        "add-2011", "ADD",
        six(
            "سياسة خدمات المؤتمرات، أديس أبابا، 2011",
            "Conference service policy, Addis Ababa, 2011",
            "Política de servicios de conferencias, Addis Abeba, 2011",
            "Politique des services de conférence, Addis-Abeba, 2011",
            "Правила конференционного обслуживания, Аддис-Абеба, 2011 год",
            "会议服务政策,亚的斯亚贝巴,2011年",
        ),
        fee["provenance"]["citation"], [fee, cancellation, deposit], years=(2011, 2011),
    )
    recovery = rule(
        "Full cost recovery", "full-cost-recovery",
        six(
            "تُسترد التكاليف كاملة ولم تعد الخصومات سارية؛ ويُحسب العمل الإضافي بالحد الأدنى لأجر يوم عمل الموظفين المعنيين؛ ويسدد العملاء من خارج الأمم المتحدة خلال 30 يوما.",
            "Costs are recovered in full and discounts no longer apply; overtime is charged at the minimum workday rate of the staff involved; clients outside the United Nations settle within 30 days.",
            "Se recuperan todos los costos y ya no se aplican descuentos; las horas extraordinarias se cobran a la tarifa mínima por jornada del personal que interviene; los clientes ajenos a las Naciones Unidas pagan en un plazo de 30 días.",
            "Les coûts sont intégralement recouvrés, sans remise ; les heures supplémentaires sont facturées au tarif journalier minimal du personnel concerné ; les clients extérieurs à l'Organisation règlent sous 30 jours.",
            "Расходы возмещаются полностью, скидки более не предоставляются; сверхурочная работа оплачивается по минимальной дневной ставке занятых сотрудников; клиенты вне системы Организации производят расчет в течение 30 дней.",
            "全额收回费用,不再适用折扣;加班按有关工作人员的最低工作日费率计算;联合国以外的客户须在30天内付清。",
        ),
    )
    yield card(
        "add-charge-policy", "ADD",
        six(
            "سياسة تحصيل الرسوم، أديس أبابا",
            "Charge policy, Addis Ababa",
            "Política de cobro, Addis Abeba",
            "Politique de facturation, Addis-Abeba",
            "Правила взимания платы, Аддис-Абеба",
            "收费政策,亚的斯亚贝巴",
        ),
        recovery["provenance"]["citation"], rules=[recovery],
    )


def vienna():
    precedent = rate(
        "Interpretation at three sessions daily", "montreal-protocol-interpretation", "interpretation", "precedent",
        six(
            "الترجمة الشفوية في ثلاث جلسات يوميا، اجتماعا أطراف بروتوكول مونتريال، تموز/يوليه 2016",
            "Interpretation at three sessions daily, two meetings of the parties to the Montreal Protocol, July 2016",
            "Interpretación en tres sesiones diarias, dos reuniones de las partes en el Protocolo de Montreal, julio de 2016",
            "Interprétation de trois séances par jour, deux réunions des parties au Protocole de Montréal, juillet 2016",
            "Устный перевод на трех заседаниях в день, два совещания сторон Монреальского протокола, июль 2016 года",
            "每天三场会议的口译,《蒙特利尔议定书》缔约方两次会议,2016年7月",
        ),
    )
    return card(
        "vie-2016", "VIE",
        six(
            "تكلفة سابقة للترجمة الشفوية في فيينا، 2016",
            "What interpretation in Vienna cost in 2016",
            "Costo de la interpretación en Viena en 2016",
            "Coût de l'interprétation à Vienne en 2016",
            "Стоимость устного перевода в Вене в 2016 году",
            "2016年维也纳口译费用",
        ),
        precedent["provenance"]["citation"], [precedent], years=(2016, 2016),
    )


def geneva():
    hours = "Meetings 10:00-13:00, 15:00-18:00, working days only"
    ngo = {"organizers": ["ngo"]}
    rules = [
        rule(
            hours, "meeting-hours",
            six(
                "تُعقد الجلسات من 10:00 إلى 13:00 ومن 15:00 إلى 18:00، في أيام العمل فقط.",
                "Meetings are held from 10:00 to 13:00 and from 15:00 to 18:00, on working days only.",
                "Las sesiones se celebran de 10:00 a 13:00 y de 15:00 a 18:00, solo en días laborables.",
                "Les séances ont lieu de 10 heures à 13 heures et de 15 heures à 18 heures, les jours ouvrables seulement.",
                "Заседания проводятся с 10:00 до 13:00 и с 15:00 до 18:00, только в рабочие дни.",
                "会议仅在工作日10:00至13:00和15:00至18:00举行。",
            ),
        ),
        rule(
            hours, "none-after-hours",
            six(
                "لا تُعقد جلسات بعد الساعة 18:00 ولا في عطلات نهاية الأسبوع ولا في أيام العطل الرسمية.",
                "No meetings are held after 18:00, at weekends or on holidays.",
                "No se celebran sesiones después de las 18:00 ni en fines de semana o días feriados.",
                "Aucune séance n'a lieu après 18 heures, ni le week-end, ni les jours fériés.",
                "Заседания не проводятся после 18:00, а также в выходные и праздничные дни.",
                "18:00以后、周末和节假日不举行会议。",
            ),
            "not_held", applies_when="outside_regular_hours", regular_hours=TEN_TO_SIX,
        ),
        rule(
            "Rooms can be cancelled until the start", "cancelling-services",
            six(
                "يمكن إلغاء حجز القاعات حتى موعد البدء؛ أما الخدمات ذات التكلفة فيجب إلغاؤها قبل أسبوعين وإلا جاز تحميل تكلفتها.",
                "Rooms can be cancelled until the start; services that bear a cost must be cancelled two weeks before, or may still be charged.",
                "Las salas pueden cancelarse hasta el comienzo; los servicios con costo deben cancelarse dos semanas antes o podrán cobrarse.",
                "Les salles peuvent être annulées jusqu'au début ; les services payants doivent l'être deux semaines à l'avance, faute de quoi ils peuvent être facturés.",
                "Бронирование залов можно отменить до самого начала; платные услуги — не позднее чем за две недели, иначе они могут быть включены в счет.",
                "会议室可在开始前取消;收费服务须提前两周取消,否则仍可能收费。",
            ),
            lead_hours=336,
        ),
        rule(
            "A request cannot be amended", "no-amendment-in-gmeets",
            six(
                "لا يمكن لمقدم الطلب تعديله بعد تقديمه في نظام gMeets.",
                "Once submitted in gMeets, a request cannot be amended by the client.",
                "Una vez presentada en gMeets, la solicitud no puede ser modificada por el cliente.",
                "Une fois soumise dans gMeets, une demande ne peut plus être modifiée par le client.",
                "После подачи в gMeets заявка не может быть изменена клиентом.",
                "申请一经在gMeets提交,客户即无法修改。",
            ),
        ),
        rule(
            "NGO: cost estimate payable", "ngo-payment",
            six(
                "المنظمات غير الحكومية: تُدفع التكلفة التقديرية قبل ثلاثة أسابيع على الأقل؛ وتصدر فاتورة الشارات وساعات التداول بالفيديو بعد المناسبة؛ ويُحصَّل رسم إداري إضافي عن الفاتورة الموحدة؛ ولا يُقبل حساب طرف ثالث أو حساب شخصي.",
                "NGOs pay the estimate at least three weeks before; badges and hours of videoconference are billed after the event; a consolidated bill bears an extra administrative charge; no account of a third party or a person is accepted.",
                "Las ONG pagan el presupuesto al menos tres semanas antes; las credenciales y las horas de videoconferencia se facturan después del evento; una factura consolidada conlleva un cargo administrativo adicional; no se aceptan cuentas de terceros ni personales.",
                "Les ONG règlent le devis au moins trois semaines à l'avance ; les badges et les heures de visioconférence sont facturés après l'événement ; une facture unique entraîne des frais administratifs supplémentaires ; aucun compte de tiers ou de particulier n'est accepté.",
                "НПО оплачивают смету не позднее чем за три недели; пропуска и часы видеосвязи оплачиваются после мероприятия; за сводный счет взимается дополнительный административный сбор; счета третьих лиц и личные счета не принимаются.",
                "非政府组织至少提前三周支付估计费用;证件和视频会议时数在活动后结算;合并账单另收行政费;不接受第三方或个人账户。",
            ),
            lead_hours=504, **ngo,
        ),
        rule(
            "NGO room requests", "ngo-room-requests",
            six(
                "تُقدَّم طلبات المنظمات غير الحكومية للقاعات قبل ستة أسابيع.",
                "NGOs request rooms six weeks before.",
                "Las ONG solicitan las salas con seis semanas de antelación.",
                "Les ONG demandent les salles six semaines à l'avance.",
                "НПО подают заявки на залы за шесть недель.",
                "非政府组织须提前六周申请会议室。",
            ),
            lead_hours=1008, **ngo,
        ),
        rule(
            "Hybrid meetings", "hybrid-meetings",
            six(
                "تُعقد الاجتماعات المختلطة على أساس استرداد التكاليف.",
                "Hybrid meetings are held on a cost-recovery basis.",
                "Las reuniones híbridas se celebran sobre la base de la recuperación de los costos.",
                "Les réunions hybrides se tiennent selon le principe du recouvrement des coûts.",
                "Гибридные заседания проводятся на условиях возмещения расходов.",
                "混合会议按收回成本的原则举行。",
            ),
            categories=["videoconference"],
        ),
        rule(
            "Final approval on Monday", "final-approval",
            six(
                "تصدر الموافقة النهائية يوم الاثنين من الأسبوع نفسه (بلا ترجمة شفوية) أو يوم الأربعاء من الأسبوع السابق (مع الخدمات)؛ والنص مبتور في المصدر.",
                "Final approval is given on Monday of the week (without interpretation) or on Wednesday of the week before (with services); the text is cut in the source.",
                "La aprobación definitiva se da el lunes de la misma semana (sin interpretación) o el miércoles de la semana anterior (con servicios); el texto está cortado en la fuente.",
                "L'approbation définitive est donnée le lundi de la semaine (sans interprétation) ou le mercredi de la semaine précédente (avec services) ; le texte est tronqué dans la source.",
                "Окончательное согласие дается в понедельник той же недели (без устного перевода) или в среду предыдущей недели (с обслуживанием); текст в источнике обрывается.",
                "最终批准于当周周一(无口译)或前一周周三(有服务)作出;资料来源文字不全。",
            ),
            confidence="inferred",
        ),
    ]
    return card(
        "gva-practice", "GVA",
        six(
            "الاجتماعات في قصر الأمم",
            "Meetings at the Palais des Nations",
            "Reuniones en el Palacio de las Naciones",
            "Réunions au Palais des Nations",
            "Заседания во Дворце Наций",
            "万国宫会议",
        ),
        SEVERAL, rules=rules,
    )


def nairobi():
    served = rule(
        "First come, first served", "first-come-first-served",
        six(
            "تُلبى الطلبات بحسب ترتيب ورودها؛ ويعاد النموذج مع تقدير للتكاليف وفق قائمة أسعار متاحة عند الطلب؛ ثم يُبرم اتفاق على مستوى الخدمة أو مذكرة تفاهم؛ وكثيرا ما تكون الطلبات المتأخرة أعلى كلفة.",
            "Requests are served as they come; the form is returned with an estimate from a price list available on request; a service level agreement or memorandum of understanding follows; late requests often cost more.",
            "Las solicitudes se atienden por orden de llegada; el formulario se devuelve con un presupuesto basado en una lista de precios disponible previa petición; le sigue un acuerdo de nivel de servicio o un memorando de entendimiento; las solicitudes tardías suelen costar más.",
            "Les demandes sont traitées dans l'ordre d'arrivée ; le formulaire est renvoyé avec un devis établi d'après une liste de prix disponible sur demande ; suit un accord de prestation de services ou un mémorandum d'accord ; les demandes tardives coûtent souvent plus cher.",
            "Заявки обслуживаются в порядке поступления; форма возвращается со сметой по прейскуранту, предоставляемому по запросу; затем заключается соглашение об уровне обслуживания или меморандум о взаимопонимании; поздние заявки часто обходятся дороже.",
            "按申请先后顺序受理;表格退回时附有依据可索取的价目表编制的估算;随后签订服务级别协议或谅解备忘录;逾期申请往往费用更高。",
        ),
    )
    return card(
        "nbo-practice", "NBO",
        six(
            "إجراءات طلب الخدمات في نيروبي",
            "Requesting services in Nairobi",
            "Solicitud de servicios en Nairobi",
            "Demande de services à Nairobi",
            "Порядок запроса услуг в Найроби",
            "内罗毕服务申请程序",
        ),
        served["provenance"]["citation"], rules=[served],
    )


def main():
    cards = [new_york_2016(), new_york_2012(), new_york_practice(), *everywhere(), *addis_ababa(), vienna(),
             geneva(), nairobi()]
    unused = {("rate", n) for n in RATES} | {("rule", n) for n in RULES}
    if unused - USED:
        sys.exit(f"facts that no card uses: {sorted(unused - USED)}")
    lines = [json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in cards]
    (DATA / "demonstration/event-costs.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
