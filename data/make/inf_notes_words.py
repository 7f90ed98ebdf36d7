"""The words of inf_notes.py in the six official languages."""

LANGUAGES = ["ar", "en", "es", "fr", "ru", "zh"]

MONTHS = {
    "en": ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December"],
    "fr": ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
           "décembre"],
    "es": ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
           "noviembre", "diciembre"],
    "ru": ["января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября",
           "декабря"],
    "ar": ["كانون الثاني/يناير", "شباط/فبراير", "آذار/مارس", "نيسان/أبريل", "أيار/مايو", "حزيران/يونيه",
           "تموز/يوليه", "آب/أغسطس", "أيلول/سبتمبر", "تشرين الأول/أكتوبر", "تشرين الثاني/نوفمبر",
           "كانون الأول/ديسمبر"],
}

# A session's ordinal as it stands in the title; where the language declines it, then as a subject.
ORDINALS = {
    "en": {68: ["sixty-eighth"], 72: ["seventy-second"], 76: ["seventy-sixth"], 77: ["seventy-seventh"],
           79: ["seventy-ninth"]},
    "fr": {68: ["soixante-huitième"], 72: ["soixante-douzième"], 76: ["soixante-seizième"],
           77: ["soixante-dix-septième"], 79: ["soixante-dix-neuvième"]},
    "es": {68: ["sexagésimo octavo"], 72: ["septuagésimo segundo"], 76: ["septuagésimo sexto"],
           77: ["septuagésimo séptimo"], 79: ["septuagésimo noveno"]},
    "ru": {68: ["шестьдесят восьмой", "Шестьдесят восьмая"], 72: ["семьдесят второй", "Семьдесят вторая"],
           76: ["семьдесят шестой", "Семьдесят шестая"], 77: ["семьдесят седьмой", "Семьдесят седьмая"],
           79: ["семьдесят девятой", "Семьдесят девятая"]},
    "zh": {68: ["六十八"], 72: ["七十二"], 76: ["七十六"], 77: ["七十七"], 79: ["七十九"]},
    "ar": {68: ["الثامنة والستين", "الثامنة والستون"], 72: ["الثانية والسبعين", "الثانية والسبعون"],
           76: ["السادسة والسبعين", "السادسة والسبعون"], 77: ["السابعة والسبعين", "السابعة والسبعون"],
           79: ["التاسعة والسبعين", "التاسعة والسبعون"]},
}

FIXED = {
    "title": {
        "en": "Arrangements for the high-level meetings and the general debate of the {} session of the General Assembly",
        "fr": "Dispositions concernant les réunions de haut niveau et le débat général de la {} session de l’Assemblée générale",
        "es": "Disposiciones para las reuniones de alto nivel y el debate general del {} período de sesiones de la Asamblea General",
        "ru": "Организация заседаний высокого уровня и общих прений {} сессии Генеральной Ассамблеи",
        "zh": "大会第{}届会议高级别会议和一般性辩论的安排",
        "ar": "الترتيبات المتعلقة بالاجتماعات الرفيعة المستوى والمناقشة العامة للدورة {} للجمعية العامة",
    },
    "headquarters": {
        "en": "United Nations Headquarters", "fr": "Siège de l’Organisation des Nations Unies",
        "es": "Sede de las Naciones Unidas", "ru": "Центральные учреждения Организации Объединенных Наций",
        "zh": "联合国总部", "ar": "مقر الأمم المتحدة",
    },
    "reissued": {
        "ar": "أُعيد إصدارها لأسباب فنية", "en": "Reissued for technical reasons",
        "es": "Publicado nuevamente por razones técnicas", "fr": "Nouveau tirage pour raisons techniques",
        "ru": "Переиздано по техническим причинам", "zh": "由于技术原因重新印发",
    },
    "opens": {
        "en": "The {} session of the General Assembly opens at United Nations Headquarters on {}. ",
        "fr": "La {} session de l’Assemblée générale s’ouvre au Siège de l’Organisation des Nations Unies le {}. ",
        "es": "El {} período de sesiones de la Asamblea General se inaugura en la Sede de las Naciones Unidas el {}. ",
        "ru": "{} сессия Генеральной Ассамблеи открывается в Центральных учреждениях Организации Объединенных Наций {}. ",
        "zh": "大会第{}届会议于{}在联合国总部开幕。",
        "ar": "تُفتتح الدورة {} للجمعية العامة في مقر الأمم المتحدة في {}. ",
    },
    "debate": {
        "en": "The general debate takes place {}.", "fr": "Le débat général se tient {}.",
        "es": "El debate general se celebra {}.", "ru": "Общие прения проводятся {}.",
        "zh": "一般性辩论于{}举行。", "ar": "وتُجرى المناقشة العامة {}.",
    },
    "high_level": {
        "en": "The high-level meetings take place {}.", "fr": "Les réunions de haut niveau se tiennent {}.",
        "es": "Las reuniones de alto nivel se celebran {}.", "ru": "Заседания высокого уровня проводятся {}.",
        "zh": "高级别会议于{}举行。", "ar": "وتُعقد الاجتماعات الرفيعة المستوى {}.",
    },
    "on": {"en": "on {}", "fr": "le {}", "es": "el {}", "ru": "{}", "zh": "{}", "ar": "في {}"},
    "from_to": {"en": "from {} to {}", "fr": "du {} au {}", "es": "del {} al {}", "ru": "с {} по {}", "ar": "من {} إلى {}"},
    "between": {"en": "{} to {}", "fr": "{}-{}", "es": "{} a {}", "ru": "{}–{}", "ar": "{}-{}"},
    "and": {"en": " and ", "fr": " et ", "es": " y ", "ru": " и ", "zh": "和", "ar": " و"},
    "colon": {"en": ": ", "fr": " : ", "es": ": ", "ru": ": ", "zh": "：", "ar": ": "},
    "comma": {"en": ", ", "fr": ", ", "es": ", ", "ru": ", ", "zh": "，", "ar": "، "},
    "closed": {"en": "closed", "fr": "fermé", "es": "cerrado", "ru": "закрыто", "zh": "不办公", "ar": "مغلق"},
    "hours": {"en": "{} to {}", "fr": "de {} à {}", "es": "de {} a {} horas", "ru": "с {} до {}", "zh": "{}至{}",
              "ar": "من الساعة {} إلى الساعة {}"},
}

# What is printed under the title.
PARTS = {
    "note": {
        "en": "Information note for delegations", "fr": "Note d’information à l’intention des délégations",
        "es": "Nota informativa para las delegaciones", "ru": "Информационная записка для делегаций",
        "zh": "供各代表团参考的情况说明", "ar": "مذكرة إعلامية للوفود",
    },
    "addendum": {"en": "Addendum", "fr": "Additif", "es": "Adición", "ru": "Добавление", "zh": "增编", "ar": "إضافة"},
    "corrigendum": {"en": "Corrigendum", "fr": "Rectificatif", "es": "Corrección", "ru": "Исправление", "zh": "更正",
                    "ar": "تصويب"},
}

# Headings, by their English form in the facts.
SECTIONS = {
    "Introduction": {
        "en": "Introduction", "fr": "Introduction", "es": "Introducción", "ru": "Введение", "zh": "导言", "ar": "مقدمة",
    },
    "General considerations in the context of COVID-19": {
        "en": "General considerations in the context of COVID-19",
        "fr": "Considérations générales liées à la COVID-19",
        "es": "Consideraciones generales en el contexto de la COVID-19",
        "ru": "Общие соображения в контексте COVID-19", "zh": "2019冠状病毒病疫情背景下的一般考虑",
        "ar": "اعتبارات عامة في سياق جائحة كوفيد-19",
    },
    "Arrivals": {
        "en": "Arrivals", "fr": "Arrivées", "es": "Llegadas", "ru": "Прибытие", "zh": "抵达", "ar": "الوصول",
    },
    "Schedules, list of speakers, statements and other relevant information": {
        "en": "Schedules, list of speakers, statements and other relevant information",
        "fr": "Calendrier, liste des oratrices et orateurs, déclarations et autres informations utiles",
        "es": "Calendario, lista de oradores, declaraciones y otra información pertinente",
        "ru": "Расписание, список ораторов, выступления и другая соответствующая информация",
        "zh": "日程、发言名单、发言和其他有关信息",
        "ar": "الجداول الزمنية وقائمة المتكلمين والبيانات وغيرها من المعلومات ذات الصلة",
    },
    "Schedules, list of speakers, statements": {
        "en": "Schedules, list of speakers, statements",
        "fr": "Calendrier, liste des oratrices et orateurs, déclarations",
        "es": "Calendario, lista de oradores y declaraciones", "ru": "Расписание, список ораторов, выступления",
        "zh": "日程、发言名单和发言", "ar": "الجداول الزمنية وقائمة المتكلمين والبيانات",
    },
    "Documentation and interpretation": {
        "en": "Documentation and interpretation", "fr": "Documentation et interprétation",
        "es": "Documentación e interpretación", "ru": "Документация и устный перевод", "zh": "文件和口译",
        "ar": "الوثائق والترجمة الشفوية",
    },
    "Credentials": {
        "en": "Credentials", "fr": "Pouvoirs", "es": "Credenciales", "ru": "Полномочия", "zh": "全权证书",
        "ar": "وثائق التفويض",
    },
    # The source cuts this heading; what it has of it is complete as far as it goes.
    "Protocol registration and access arrangements for Member States, observers, intergovernmental organizations, specialized agencies and related organizations": {
        "en": "Protocol registration and access arrangements for Member States, observers, intergovernmental organizations, specialized agencies and related organizations …",
        "fr": "Inscription auprès du Protocole et modalités d’accès pour les États Membres, les observateurs, les organisations intergouvernementales, les institutions spécialisées et les organisations apparentées …",
        "es": "Inscripción ante el Servicio de Protocolo y disposiciones de acceso para los Estados Miembros, los observadores, las organizaciones intergubernamentales, los organismos especializados y las organizaciones conexas …",
        "ru": "Протокольная регистрация и порядок доступа для государств-членов, наблюдателей, межправительственных организаций, специализированных учреждений и связанных с ними организаций …",
        "zh": "会员国、观察员、政府间组织、专门机构和有关组织的礼宾登记和出入安排……",
        "ar": "التسجيل لدى المراسم وترتيبات الدخول للدول الأعضاء والمراقبين والمنظمات الحكومية الدولية والوكالات المتخصصة والمنظمات ذات الصلة …",
    },
    "Protocol registration and access arrangements": {
        "en": "Protocol registration and access arrangements",
        "fr": "Inscription auprès du Protocole et modalités d’accès",
        "es": "Inscripción ante el Servicio de Protocolo y disposiciones de acceso",
        "ru": "Протокольная регистрация и порядок доступа", "zh": "礼宾登记和出入安排",
        "ar": "التسجيل لدى المراسم وترتيبات الدخول",
    },
    "Access and parking / motorcades": {
        "en": "Access, parking and motorcades", "fr": "Accès, stationnement et cortèges officiels",
        "es": "Acceso, estacionamiento y caravanas de vehículos", "ru": "Доступ, парковка и кортежи",
        "zh": "出入、停车和车队", "ar": "الدخول ومواقف السيارات والمواكب",
    },
    "Seating": {
        "en": "Seating", "fr": "Attribution des sièges", "es": "Distribución de los asientos", "ru": "Размещение делегаций",
        "zh": "座位安排", "ar": "ترتيبات الجلوس",
    },
    "Bilateral meetings": {
        "en": "Bilateral meetings", "fr": "Réunions bilatérales", "es": "Reuniones bilaterales",
        "ru": "Двусторонние встречи", "zh": "双边会晤", "ar": "الاجتماعات الثنائية",
    },
    "Media access arrangements and services": {
        "en": "Media access arrangements and services", "fr": "Modalités d’accès et services destinés aux médias",
        "es": "Disposiciones de acceso y servicios para los medios de comunicación",
        "ru": "Порядок доступа и услуги для средств массовой информации", "zh": "媒体出入安排和服务",
        "ar": "ترتيبات دخول وسائط الإعلام والخدمات المقدمة لها",
    },
    "Access for security personnel": {
        "en": "Access for security personnel", "fr": "Accès du personnel de sécurité",
        "es": "Acceso del personal de seguridad", "ru": "Доступ сотрудников охраны", "zh": "安保人员的出入",
        "ar": "دخول أفراد الأمن",
    },
    "Medical services": {
        "en": "Medical services", "fr": "Services médicaux", "es": "Servicios médicos", "ru": "Медицинское обслуживание",
        "zh": "医疗服务", "ar": "الخدمات الطبية",
    },
    "Facilities and services": {
        "en": "Facilities and services", "fr": "Installations et services", "es": "Instalaciones y servicios",
        "ru": "Помещения и услуги", "zh": "设施和服务", "ar": "المرافق والخدمات",
    },
    "Contacts": {
        "en": "Contacts", "fr": "Personnes à contacter", "es": "Personas de contacto", "ru": "Контактная информация",
        "zh": "联系方式", "ar": "جهات الاتصال",
    },
}

TEXTS = {
    "statements": {
        "en": "Thirty copies of a statement are to be handed in before it is made; failing that, the interpreters need 10. General distribution takes 350 copies.",
        "fr": "Le texte de chaque déclaration doit être remis à l’avance en 30 exemplaires ; à défaut, 10 exemplaires sont nécessaires aux interprètes. La distribution générale requiert 350 exemplaires.",
        "es": "El texto de cada declaración debe entregarse con antelación en 30 ejemplares; de lo contrario, los intérpretes necesitan 10. Para la distribución general hacen falta 350 ejemplares.",
        "ru": "Текст выступления следует представлять заранее в 30 экземплярах; в противном случае устным переводчикам требуется 10 экземпляров. Для общего распространения необходимо 350 экземпляров.",
        "zh": "发言稿应提前提交30份；未提前提交的，应为口译员提供10份。普遍分发需要350份。",
        "ar": "ينبغي تقديم 30 نسخة من البيان مسبقا؛ وإذا تعذر ذلك، يحتاج المترجمون الشفويون إلى 10 نسخ. ويتطلب التوزيع العام 350 نسخة.",
    },
    "access": {
        "en": "While First Avenue is closed, holders of a confirmation by e-mail may pass the police line at Second Avenue and 46th Street on showing a print-out of it.",
        "fr": "Pendant la fermeture de la Première Avenue, les titulaires d’une confirmation reçue par courriel peuvent franchir le cordon de police à l’angle de la Deuxième Avenue et de la 46e Rue sur présentation d’une copie imprimée du message.",
        "es": "Mientras la Primera Avenida esté cerrada, quienes hayan recibido una confirmación por correo electrónico podrán cruzar el cordón policial en la Segunda Avenida y la calle 46 presentando una copia impresa del mensaje.",
        "ru": "Пока Первая авеню закрыта, обладатели подтверждения, полученного по электронной почте, могут пройти через полицейское оцепление на углу Второй авеню и 46-й улицы, предъявив его распечатку.",
        "zh": "第一大道封闭期间，收到电子邮件确认函者可凭打印件在第二大道与46街交汇处通过警戒线。",
        "ar": "خلال إغلاق الجادة الأولى، يمكن لمن تلقوا رسالة تأكيد بالبريد الإلكتروني عبور طوق الشرطة عند تقاطع الجادة الثانية والشارع 46 بإبراز نسخة مطبوعة منها.",
    },
    "side_events": {
        "en": "In 2022 only events of the Secretary-General and of the President of the General Assembly are held at Headquarters. Other side events take place elsewhere in the city.",
        "fr": "En 2022, seules les manifestations organisées par le Secrétaire général et par le Président de l’Assemblée générale se tiennent au Siège. Les autres manifestations parallèles ont lieu ailleurs dans la ville.",
        "es": "En 2022 solo se celebran en la Sede los actos del Secretario General y del Presidente de la Asamblea General. Los demás actos paralelos tienen lugar en otros puntos de la ciudad.",
        "ru": "В 2022 году в Центральных учреждениях проводятся только мероприятия Генерального секретаря и Председателя Генеральной Ассамблеи. Остальные параллельные мероприятия проходят в других местах города.",
        "zh": "2022年，总部仅举行秘书长和大会主席举办的活动。其他会外活动在本市其他地点举行。",
        "ar": "في عام 2022، لا تُنظم في المقر سوى مناسبات الأمين العام ورئيس الجمعية العامة. وتُنظم المناسبات الجانبية الأخرى في أماكن أخرى من المدينة.",
    },
    "media": {
        "en": "Media representatives who hold a valid grounds pass need no further accreditation for the high-level meetings. The deadline is 30 August 2024 for media applying for themselves and 13 September 2024 for missions, through eRegistration. Media enter and are screened at 47th Street and First Avenue.",
        "fr": "Les représentants des médias titulaires d’une carte d’accès en cours de validité n’ont pas besoin d’une autre accréditation pour les réunions de haut niveau. La date limite est fixée au 30 août 2024 pour les demandes des médias et au 13 septembre 2024 pour celles des missions, présentées au moyen d’eRegistration. L’entrée des médias et le contrôle de sécurité se trouvent à l’angle de la 47e Rue et de la Première Avenue.",
        "es": "Los representantes de los medios de comunicación que tengan un pase en vigor no necesitan otra acreditación para las reuniones de alto nivel. El plazo vence el 30 de agosto de 2024 para las solicitudes de los propios medios y el 13 de septiembre de 2024 para las de las misiones, presentadas por medio de eRegistration. La entrada y el control de seguridad de los medios están en la calle 47 y la Primera Avenida.",
        "ru": "Представителям средств массовой информации, имеющим действительный пропуск, дополнительная аккредитация на заседания высокого уровня не требуется. Заявки самих средств массовой информации принимаются до 30 августа 2024 года, заявки представительств — до 13 сентября 2024 года через систему eRegistration. Вход для прессы и пункт досмотра находятся на углу 47-й улицы и Первой авеню.",
        "zh": "持有有效通行证的媒体代表采访高级别会议无需另行办理采访证。媒体自行申请的截止日期为2024年8月30日，常驻代表团通过eRegistration系统申请的截止日期为2024年9月13日。媒体入口和安检处位于47街与第一大道交汇处。",
        "ar": "لا يحتاج ممثلو وسائط الإعلام الحاصلون على تصريح دخول ساري المفعول إلى اعتماد إضافي لحضور الاجتماعات الرفيعة المستوى. وآخر موعد للتقديم هو 30 آب/أغسطس 2024 لوسائط الإعلام و 13 أيلول/سبتمبر 2024 للبعثات، عن طريق نظام eRegistration. ويقع مدخل وسائط الإعلام ونقطة التفتيش عند تقاطع الشارع 47 والجادة الأولى.",
    },
    "badges": {
        "en": "By exception, passes marked A (affiliates), N (civil society) and R (retirees) are valid on 20 and 21 September 2024.",
        "fr": "À titre exceptionnel, les cartes d’accès portant la lettre A (entités affiliées), N (société civile) ou R (retraités) sont valables les 20 et 21 septembre 2024.",
        "es": "Con carácter excepcional, los pases con la letra A (entidades afiliadas), N (sociedad civil) o R (jubilados) son válidos los días 20 y 21 de septiembre de 2024.",
        "ru": "В порядке исключения пропуска с буквами A (присоединенные организации), N (гражданское общество) и R (пенсионеры) действительны 20 и 21 сентября 2024 года.",
        "zh": "作为例外，标有A（附属机构）、N（民间社会）和R（退休人员）的通行证在2024年9月20日和21日有效。",
        "ar": "استثناءً، تكون تصاريح الدخول التي تحمل الحرف A (الجهات المنتسبة) أو N (المجتمع المدني) أو R (المتقاعدون) صالحة في 20 و 21 أيلول/سبتمبر 2024.",
    },
    "Pass and Identification Unit": {
        "en": "The Pass and Identification Unit, 320 East 45th Street, is open as follows:",
        "fr": "Le Groupe des cartes d’accès et d’identité (320 East 45th Street) est ouvert comme suit :",
        "es": "La Dependencia de Pases e Identificación (320 East 45th Street) abre en el siguiente horario:",
        "ru": "Группа пропусков и удостоверений (320 East 45th Street) работает по следующему графику:",
        "zh": "出入证件股（320 East 45th Street）的办公时间如下：",
        "ar": "فيما يلي مواعيد عمل وحدة تصاريح الدخول وتحديد الهوية (320 East 45th Street):",
    },
    "Visitors Centre": {
        "en": "The Visitors Centre in the UNITAR Building, 801 First Avenue, issues media passes only:",
        "fr": "Le Centre des visiteurs (bâtiment de l’UNITAR, 801 First Avenue) délivre uniquement les cartes d’accès destinées aux médias :",
        "es": "El Centro de Visitantes (edificio del UNITAR, 801 First Avenue) expide únicamente pases para los medios de comunicación:",
        "ru": "В Центре для посетителей (здание ЮНИТАР, 801 First Avenue) выдаются только пропуска для прессы:",
        "zh": "访客中心（训研所大楼，801 First Avenue）仅签发媒体通行证：",
        "ar": "لا يُصدر مركز الزوار (مبنى معهد الأمم المتحدة للتدريب والبحث، 801 First Avenue) سوى تصاريح وسائط الإعلام:",
    },
    "medical": {
        "en": "First aid is available in the General Assembly Building throughout the meetings.",
        "fr": "Les premiers secours sont assurés dans le bâtiment de l’Assemblée générale pendant toute la durée des séances.",
        "es": "En el edificio de la Asamblea General se prestan primeros auxilios mientras duren las sesiones.",
        "ru": "На протяжении всех заседаний в здании Генеральной Ассамблеи работает пункт первой помощи.",
        "zh": "会议期间，大会大楼内全程提供急救服务。",
        "ar": "تُتاح الإسعافات الأولية في مبنى الجمعية العامة طوال الجلسات.",
    },
    "bilateral": {
        "en": "Missions book booths for bilateral meetings at least one day ahead, for 20 minutes each.",
        "fr": "Les missions réservent les salons destinés aux réunions bilatérales au moins un jour à l’avance, pour une durée de 20 minutes.",
        "es": "Las misiones reservan los espacios para reuniones bilaterales con al menos un día de antelación, por períodos de 20 minutos.",
        "ru": "Представительства бронируют кабины для двусторонних встреч не позднее чем за день, на 20 минут каждую.",
        "zh": "各代表团至少提前一天预订双边会晤隔间，每次20分钟。",
        "ar": "تحجز البعثات أماكن الاجتماعات الثنائية قبل الموعد بيوم واحد على الأقل، لمدة 20 دقيقة لكل اجتماع.",
    },
    "corrigendum": {
        "en": "Section III, opening hours of the Pass and Identification Unit, 20, 21 and 22 September: for 8 a.m. read 7 a.m.",
        "fr": "Section III, heures d’ouverture du Groupe des cartes d’accès et d’identité, 20, 21 et 22 septembre : au lieu de 8 heures, lire 7 heures.",
        "es": "Sección III, horario de la Dependencia de Pases e Identificación, días 20, 21 y 22 de septiembre: donde dice 8.00 horas, debe decir 7.00 horas.",
    },
}
