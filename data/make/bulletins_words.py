"""The words of the demonstration bulletins and places in the six official languages, our own."""

LANGUAGES = ["ar", "en", "es", "fr", "ru", "zh"]


def words(en, fr, es, ru, zh, ar):
    return {"ar": ar, "en": en, "es": es, "fr": fr, "ru": ru, "zh": zh}


def text(headline, description, instruction=None):
    """A bulletin's texts from a headline, a description and an instruction, each in six languages."""
    parts = {"headline": headline, "description": description, "instruction": instruction}
    return {tag: {name: part[tag] for name, part in parts.items() if part} for tag in LANGUAGES}


UN = words(
    "United Nations",
    "Organisation des Nations Unies",
    "Naciones Unidas",
    "Организация Объединенных Наций",
    "联合国",
    "الأمم المتحدة",
)
NYPD = words(
    "New York City Police Department",
    "Police de la ville de New York",
    "Departamento de Policía de la Ciudad de Nueva York",
    "Департамент полиции города Нью-Йорка",
    "纽约市警察局",
    "إدارة شرطة مدينة نيويورك",
)
NYPD_USSS = words(
    "New York City Police Department and United States Secret Service",
    "Police de la ville de New York et Secret Service des États-Unis",
    "Departamento de Policía de la Ciudad de Nueva York y Servicio Secreto de los Estados Unidos",
    "Департамент полиции города Нью-Йорка и Секретная служба Соединенных Штатов",
    "纽约市警察局和美国特勤局",
    "إدارة شرطة مدينة نيويورك وجهاز الخدمة السرية للولايات المتحدة",
)
NYPD_CITY = words(
    "New York City Police Department and City of New York",
    "Police de la ville de New York et Ville de New York",
    "Departamento de Policía de la Ciudad de Nueva York y Ciudad de Nueva York",
    "Департамент полиции города Нью-Йорка и город Нью-Йорк",
    "纽约市警察局和纽约市",
    "إدارة شرطة مدينة نيويورك ومدينة نيويورك",
)
UNOG = words(
    "United Nations Office at Geneva",
    "Office des Nations Unies à Genève",
    "Oficina de las Naciones Unidas en Ginebra",
    "Отделение Организации Объединенных Наций в Женеве",
    "联合国日内瓦办事处",
    "مكتب الأمم المتحدة في جنيف",
)

TEXT_2016 = text(
    words(
        "Headquarters: security arrangements for 21 April 2016",
        "Siège : dispositions de sécurité pour le 21 avril 2016",
        "Sede: disposiciones de seguridad para el 21 de abril de 2016",
        "Центральные учреждения: меры безопасности на 21 апреля 2016 года",
        "总部：2016年4月21日安保安排",
        "المقر: الترتيبات الأمنية ليوم 21 نيسان/أبريل 2016",
    ),
    words(
        "Headquarters is closed to the public from the close of business on 19 April to the close of business on "
        "22 April; guided tours and construction work are suspended. Each kind of pass has its own entrance on "
        "21 April. The garage is closed overnight for a security sweep. First Avenue is closed from 42nd to 48th "
        "Street on 21 and 22 April, except to escorted motorcades. The public may return on Saturday, 23 April; "
        "guided tours resume on Monday, 25 April.",
        "Le Siège est fermé au public du 19 avril en fin de journée au 22 avril en fin de journée ; les visites "
        "guidées et les travaux sont suspendus. Le 21 avril, une entrée distincte est affectée à chaque catégorie "
        "de cartes d’accès. Le garage est fermé pendant la nuit pour une inspection de sécurité. La Première Avenue "
        "est fermée de la 42e à la 48e Rue les 21 et 22 avril, sauf aux cortèges escortés. Le public est de nouveau "
        "admis le samedi 23 avril ; les visites guidées reprennent le lundi 25 avril.",
        "La Sede permanecerá cerrada al público desde el cierre de la jornada del 19 de abril hasta el cierre de la "
        "jornada del 22 de abril; se suspenden las visitas guiadas y las obras. El 21 de abril cada tipo de pase "
        "tendrá su propia entrada. El garaje cerrará durante la noche para una inspección de seguridad. La Primera "
        "Avenida estará cerrada entre las calles 42 y 48 los días 21 y 22 de abril, salvo para las caravanas "
        "escoltadas. El público podrá volver el sábado 23 de abril; las visitas guiadas se reanudarán el lunes 25 "
        "de abril.",
        "Центральные учреждения закрыты для посетителей с конца рабочего дня 19 апреля до конца рабочего дня "
        "22 апреля; экскурсии и строительные работы приостановлены. 21 апреля для каждой категории пропусков "
        "отведен свой вход. Гараж закрыт на ночь для проверки службой безопасности. Первая авеню закрыта от 42-й "
        "до 48-й улицы 21 и 22 апреля для всех, кроме кортежей с сопровождением. Посетители вновь допускаются с "
        "субботы, 23 апреля; экскурсии возобновятся в понедельник, 25 апреля.",
        "总部自4月19日下班时起至4月22日下班时止不对公众开放；导览和施工暂停。4月21日，各类出入证持有人须使用指定入口。"
        "车库夜间关闭，以进行安全检查。4月21日和22日，第一大道42街至48街路段封闭，有护送的车队除外。"
        "4月23日星期六恢复对公众开放，4月25日星期一恢复导览。",
        "يُغلق المقر أمام الجمهور من نهاية دوام يوم 19 نيسان/أبريل إلى نهاية دوام يوم 22 نيسان/أبريل، وتُعلَّق "
        "الجولات المصحوبة بمرشدين وأعمال البناء. وفي 21 نيسان/أبريل يُخصَّص لكل فئة من تصاريح الدخول مدخلها. "
        "ويُغلق المرآب ليلا لإجراء تفتيش أمني. وتُغلق الجادة الأولى من الشارع 42 إلى الشارع 48 يومي 21 و 22 "
        "نيسان/أبريل، باستثناء المواكب المصحوبة بحراسة. ويُفتح المقر للجمهور من جديد يوم السبت 23 نيسان/أبريل، "
        "وتُستأنف الجولات يوم الاثنين 25 نيسان/أبريل.",
    ),
    words(
        "Use the entrance meant for your pass and carry it with you. Vehicles must leave the garage by 22:00 on "
        "20 April.",
        "Utilisez l’entrée prévue pour votre carte d’accès et gardez celle-ci sur vous. Les véhicules doivent avoir "
        "quitté le garage le 20 avril à 22 heures au plus tard.",
        "Utilice la entrada que corresponda a su pase y llévelo consigo. Los vehículos deberán salir del garaje a más "
        "tardar a las 22.00 horas del 20 de abril.",
        "Пользуйтесь входом, отведенным для вашего пропуска, и имейте пропуск при себе. Автомобили должны покинуть "
        "гараж не позднее 22 ч. 00 м. 20 апреля.",
        "请使用与您的出入证相应的入口，并随身携带出入证。车辆须在4月20日22时前驶离车库。",
        "يُرجى استخدام المدخل المخصص لتصريحكم وحمل التصريح معكم. ويجب أن تغادر المركبات المرآب بحلول الساعة 22:00 "
        "من يوم 20 نيسان/أبريل.",
    ),
)
TEXT_2019 = text(
    words(
        "Seventy-fourth session: streets around Headquarters",
        "Soixante-quatorzième session : circulation autour du Siège",
        "Septuagésimo cuarto período de sesiones: calles en torno a la Sede",
        "Семьдесят четвертая сессия: движение вокруг Центральных учреждений",
        "第七十四届会议：总部周边道路",
        "الدورة الرابعة والسبعون: الشوارع المحيطة بالمقر",
    ),
    words(
        "First Avenue is closed from 42nd to 48th Street from 22:00 on 22 September 2019; the tunnel from 41st to "
        "48th Street stays open. A lane of 42nd Street between First and Fifth Avenues is kept for emergency "
        "vehicles. Weekdays from 23 to 30 September are gridlock alert days.",
        "La Première Avenue est fermée de la 42e à la 48e Rue à partir du 22 septembre 2019 à 22 heures ; le tunnel "
        "de la 41e à la 48e Rue reste ouvert. Une voie de la 42e Rue entre la Première et la Cinquième Avenue est "
        "réservée aux véhicules d’urgence. De forts embouteillages sont à prévoir les jours ouvrables du 23 au "
        "30 septembre.",
        "La Primera Avenida estará cerrada entre las calles 42 y 48 a partir de las 22.00 horas del 22 de septiembre "
        "de 2019; el túnel entre las calles 41 y 48 seguirá abierto. Un carril de la calle 42 entre las avenidas "
        "Primera y Quinta se reserva para los vehículos de emergencia. Los días laborables del 23 al 30 de septiembre "
        "se prevé una gran congestión del tráfico.",
        "Первая авеню закрыта от 42-й до 48-й улицы с 22 ч. 00 м. 22 сентября 2019 года; тоннель между 41-й и 48-й "
        "улицами остается открытым. Одна полоса 42-й улицы между Первой и Пятой авеню отведена для экстренных служб. "
        "В будние дни с 23 по 30 сентября ожидаются сильные заторы.",
        "自2019年9月22日22时起，第一大道42街至48街路段封闭；41街至48街隧道仍开放通行。42街在第一大道与第五大道之间的一条车道"
        "留给应急车辆使用。9月23日至30日的工作日为交通严重拥堵预警日。",
        "تُغلق الجادة الأولى من الشارع 42 إلى الشارع 48 اعتبارا من الساعة 22:00 من يوم 22 أيلول/سبتمبر 2019، ويظل "
        "النفق الممتد من الشارع 41 إلى الشارع 48 مفتوحا. ويُخصَّص لمركبات الطوارئ مسار في الشارع 42 بين الجادتين "
        "الأولى والخامسة. ويُتوقع ازدحام شديد في أيام العمل من 23 إلى 30 أيلول/سبتمبر.",
    ),
    words(
        "Allow more time, or use public transport.",
        "Prévoyez plus de temps ou empruntez les transports publics.",
        "Prevea más tiempo o utilice el transporte público.",
        "Выезжайте заранее или пользуйтесь общественным транспортом.",
        "请预留更多时间，或乘坐公共交通工具。",
        "يُرجى تخصيص وقت أطول للتنقل أو استخدام وسائل النقل العام.",
    ),
)
TEXT_2023 = text(
    words(
        "Seventy-eighth session: closures and checkpoints on foot",
        "Soixante-dix-huitième session : fermetures et points de contrôle piétons",
        "Septuagésimo octavo período de sesiones: cierres y puestos de control peatonales",
        "Семьдесят восьмая сессия: закрытие улиц и пешеходные контрольные пункты",
        "第七十八届会议：道路封闭和行人检查站",
        "الدورة الثامنة والسبعون: إغلاق شوارع ونقاط تفتيش للمشاة",
    ),
    words(
        "The upper level of First Avenue is closed from 42nd to 48th Street from the afternoon of 17 September to "
        "23 September 2023, and the side streets from 42nd to 47th Street between First and Second Avenues with it. "
        "Seven checkpoints for people on foot work from about 07:00 to 21:00.",
        "Le niveau supérieur de la Première Avenue est fermé de la 42e à la 48e Rue de l’après-midi du 17 septembre "
        "au 23 septembre 2023, ainsi que les rues transversales de la 42e à la 47e Rue entre la Première et la "
        "Deuxième Avenue. Sept points de contrôle pour piétons fonctionnent de 7 heures à 21 heures environ.",
        "El nivel superior de la Primera Avenida estará cerrado entre las calles 42 y 48 desde la tarde del 17 de "
        "septiembre hasta el 23 de septiembre de 2023, al igual que las calles laterales 42 a 47 entre las avenidas "
        "Primera y Segunda. Siete puestos de control para peatones funcionarán aproximadamente de las 7.00 a las "
        "21.00 horas.",
        "Верхний уровень Первой авеню закрыт от 42-й до 48-й улицы со второй половины дня 17 сентября по 23 сентября "
        "2023 года, а вместе с ним и боковые улицы с 42-й по 47-ю между Первой и Второй авеню. Семь контрольных "
        "пунктов для пешеходов работают приблизительно с 7 ч. 00 м. до 21 ч. 00 м.",
        "2023年9月17日下午至9月23日，第一大道上层42街至48街路段封闭，第一大道与第二大道之间的42街至47街也同时封闭。"
        "七个行人检查站的开放时间约为7时至21时。",
        "يُغلق المستوى العلوي من الجادة الأولى من الشارع 42 إلى الشارع 48 من عصر يوم 17 أيلول/سبتمبر إلى 23 "
        "أيلول/سبتمبر 2023، وكذلك الشوارع الجانبية من الشارع 42 إلى الشارع 47 بين الجادتين الأولى والثانية. وتعمل "
        "سبع نقاط تفتيش للمشاة من الساعة 7:00 إلى الساعة 21:00 تقريبا.",
    ),
)
TEXT_2024 = text(
    words(
        "Seventy-ninth session: streets closed around Headquarters",
        "Soixante-dix-neuvième session : rues fermées autour du Siège",
        "Septuagésimo noveno período de sesiones: calles cerradas en torno a la Sede",
        "Семьдесят девятая сессия: улицы, закрытые вокруг Центральных учреждений",
        "第七十九届会议：总部周边道路封闭",
        "الدورة التاسعة والسبعون: الشوارع المغلقة حول المقر",
    ),
    words(
        "The upper roadway of First Avenue from 42nd to 49th Street and 42nd Street from FDR Drive to Second Avenue "
        "are closed, with access managed by the police. The tunnel is open to passenger vehicles and MTA buses only. "
        "43rd to 46th Streets are closed between First and Second Avenues, 48th Street between First Avenue and FDR "
        "Drive. The exit of FDR Drive at 42nd Street opens after 19:00 for westbound traffic only.",
        "La chaussée supérieure de la Première Avenue de la 42e à la 49e Rue et la 42e Rue de FDR Drive à la Deuxième "
        "Avenue sont fermées, la police réglant l’accès. Le tunnel n’est ouvert qu’aux voitures particulières et aux "
        "autobus de la MTA. Les 43e à 46e Rues sont fermées entre la Première et la Deuxième Avenue, la 48e Rue entre "
        "la Première Avenue et FDR Drive. La sortie de FDR Drive à la 42e Rue ouvre après 19 heures, vers l’ouest "
        "seulement.",
        "La calzada superior de la Primera Avenida entre las calles 42 y 49 y la calle 42 entre FDR Drive y la Segunda "
        "Avenida estarán cerradas y la policía controlará el acceso. El túnel solo estará abierto a los automóviles de "
        "pasajeros y a los autobuses de la MTA. Las calles 43 a 46 estarán cerradas entre las avenidas Primera y "
        "Segunda, y la calle 48, entre la Primera Avenida y FDR Drive. La salida de FDR Drive a la calle 42 abrirá "
        "después de las 19.00 horas, solo en dirección oeste.",
        "Верхняя проезжая часть Первой авеню от 42-й до 49-й улицы и 42-я улица от магистрали ФДР до Второй авеню "
        "закрыты; доступ регулирует полиция. Тоннель открыт только для легковых автомобилей и автобусов MTA. Улицы с "
        "43-й по 46-ю закрыты между Первой и Второй авеню, 48-я улица — между Первой авеню и магистралью ФДР. Съезд с "
        "магистрали ФДР на 42-ю улицу открывается после 19 ч. 00 м. только в западном направлении.",
        "第一大道上层路面42街至49街路段和42街罗斯福东河大道至第二大道路段封闭，由警方管控出入。隧道仅供小客车和MTA公共汽车通行。"
        "43街至46街在第一大道与第二大道之间封闭，48街在第一大道与罗斯福东河大道之间封闭。罗斯福东河大道42街出口19时后开放，仅限西行。",
        "يُغلق الطريق العلوي من الجادة الأولى من الشارع 42 إلى الشارع 49 والشارع 42 من طريق فرانكلين روزفلت السريع "
        "إلى الجادة الثانية، وتنظم الشرطة الدخول إليهما. ولا يُفتح النفق إلا لسيارات الركاب وحافلات هيئة النقل "
        "MTA. وتُغلق الشوارع من 43 إلى 46 بين الجادتين الأولى والثانية، والشارع 48 بين الجادة الأولى وطريق فرانكلين "
        "روزفلت السريع. ويُفتح مخرج الطريق السريع عند الشارع 42 بعد الساعة 19:00 للسير غربا فقط.",
    ),
)
TEXT_2025 = text(
    words(
        "Eightieth session: streets closed around Headquarters",
        "Quatre-vingtième session : rues fermées autour du Siège",
        "Octogésimo período de sesiones: calles cerradas en torno a la Sede",
        "Восьмидесятая сессия: улицы, закрытые вокруг Центральных учреждений",
        "第八十届会议：总部周边道路封闭",
        "الدورة الثمانون: الشوارع المغلقة حول المقر",
    ),
    words(
        "First Avenue is closed from 42nd to 48th Street from the Sunday before the high-level week. East 44th to "
        "48th Streets are closed daily between First and Second Avenues while it lasts.",
        "La Première Avenue est fermée de la 42e à la 48e Rue à compter du dimanche précédant la semaine de haut "
        "niveau. Les 44e à 48e Rues Est sont fermées chaque jour entre la Première et la Deuxième Avenue pendant "
        "toute la semaine.",
        "La Primera Avenida estará cerrada entre las calles 42 y 48 a partir del domingo anterior a la semana de alto "
        "nivel. Las calles 44 a 48 Este se cerrarán todos los días entre las avenidas Primera y Segunda mientras dure "
        "la semana.",
        "Первая авеню закрыта от 42-й до 48-й улицы начиная с воскресенья, предшествующего неделе заседаний высокого "
        "уровня. Восточные улицы с 44-й по 48-ю ежедневно закрыты между Первой и Второй авеню в течение всей недели.",
        "自高级别周之前的星期日起，第一大道42街至48街路段封闭。高级别周期间，东44街至东48街在第一大道与第二大道之间每日封闭。",
        "تُغلق الجادة الأولى من الشارع 42 إلى الشارع 48 اعتبارا من يوم الأحد السابق للأسبوع الرفيع المستوى. وتُغلق "
        "الشوارع الشرقية من 44 إلى 48 يوميا بين الجادتين الأولى والثانية طوال الأسبوع.",
    ),
)
TEXT_SAMPLE_ALERT = text(
    words(
        "Sample: Peace Gate closed to vehicles on 4 November 2024",
        "Exemple : Portail de la Paix fermé aux véhicules le 4 novembre 2024",
        "Ejemplo: Puerta de la Paz cerrada a los vehículos el 4 de noviembre de 2024",
        "Пример: Ворота Мира закрыты для автомобилей 4 ноября 2024 года",
        "示例：和平门2024年11月4日对车辆关闭",
        "مثال: إغلاق بوابة السلام أمام المركبات في 4 تشرين الثاني/نوفمبر 2024",
    ),
    words(
        "Made up for demonstration. Vehicles cannot use the Peace Gate from 09:00 to 12:00.",
        "Inventé à titre de démonstration. Les véhicules ne peuvent pas emprunter le Portail de la Paix de 9 heures à "
        "12 heures.",
        "Inventado con fines de demostración. Los vehículos no podrán utilizar la Puerta de la Paz de las 9.00 a las "
        "12.00 horas.",
        "Вымышлено в целях демонстрации. Проезд через Ворота Мира закрыт с 9 ч. 00 м. до 12 ч. 00 м.",
        "为演示而虚构。9时至12时车辆不得使用和平门。",
        "نص وضع لأغراض العرض. لا يمكن للمركبات استخدام بوابة السلام من الساعة 9:00 إلى الساعة 12:00.",
    ),
)
TEXT_SAMPLE_UPDATE = text(
    words(
        "Sample: Peace Gate closed to vehicles until 15:00",
        "Exemple : Portail de la Paix fermé aux véhicules jusqu’à 15 heures",
        "Ejemplo: Puerta de la Paz cerrada a los vehículos hasta las 15.00 horas",
        "Пример: Ворота Мира закрыты для автомобилей до 15 ч. 00 м.",
        "示例：和平门对车辆关闭至15时",
        "مثال: إغلاق بوابة السلام أمام المركبات حتى الساعة 15:00",
    ),
    words(
        "Made up for demonstration. The closure lasts three hours longer.",
        "Inventé à titre de démonstration. La fermeture est prolongée de trois heures.",
        "Inventado con fines de demostración. El cierre se prolonga tres horas.",
        "Вымышлено в целях демонстрации. Закрытие продлено на три часа.",
        "为演示而虚构。关闭时间延长三小时。",
        "نص وضع لأغراض العرض. يُمدَّد الإغلاق ثلاث ساعات.",
    ),
)
TEXT_SAMPLE_CANCEL = text(
    words(
        "Sample: Peace Gate open to vehicles again",
        "Exemple : Portail de la Paix rouvert aux véhicules",
        "Ejemplo: Puerta de la Paz abierta de nuevo a los vehículos",
        "Пример: Ворота Мира вновь открыты для автомобилей",
        "示例：和平门恢复对车辆开放",
        "مثال: إعادة فتح بوابة السلام أمام المركبات",
    ),
    words(
        "Made up for demonstration. The closure is cancelled.",
        "Inventé à titre de démonstration. La fermeture est annulée.",
        "Inventado con fines de demostración. Se anula el cierre.",
        "Вымышлено в целях демонстрации. Закрытие отменено.",
        "为演示而虚构。关闭取消。",
        "نص وضع لأغراض العرض. أُلغي الإغلاق.",
    ),
)

# Avenues: as a corner is named, and as a stretch begins and ends there.
AVENUES = {
    "First": (
        words("First Avenue", "Première Avenue", "Primera Avenida", "Первая авеню", "第一大道", "الجادة الأولى"),
        words(None, "de la Première Avenue", "de la Primera Avenida", "от Первой авеню", None, None),
        words(None, "à la Première Avenue", "a la Primera Avenida", "до Первой авеню", None, None),
    ),
    "Second": (
        words("Second Avenue", "Deuxième Avenue", "Segunda Avenida", "Вторая авеню", "第二大道", "الجادة الثانية"),
        words(None, "de la Deuxième Avenue", "de la Segunda Avenida", "от Второй авеню", None, None),
        words(None, "à la Deuxième Avenue", "a la Segunda Avenida", "до Второй авеню", None, None),
    ),
    "Fifth": (
        words("Fifth Avenue", "Cinquième Avenue", "Quinta Avenida", "Пятая авеню", "第五大道", "الجادة الخامسة"),
        words(None, "de la Cinquième Avenue", "de la Quinta Avenida", "от Пятой авеню", None, None),
        words(None, "à la Cinquième Avenue", "a la Quinta Avenida", "до Пятой авеню", None, None),
    ),
    "FDR": (
        words(
            "FDR Drive",
            "FDR Drive",
            "FDR Drive",
            "магистраль ФДР",
            "罗斯福东河大道",
            "طريق فرانكلين روزفلت السريع",
        ),
        words(None, "de FDR Drive", "de FDR Drive", "от магистрали ФДР", None, None),
        words(None, "à FDR Drive", "a FDR Drive", "до магистрали ФДР", None, None),
    ),
}


def ordinal(number):
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def street(number):
    """A numbered street."""
    return words(
        f"East {ordinal(number)} Street",
        f"{number}e Rue Est",
        f"Calle {number} Este",
        f"Восточная {number}-я улица",
        f"东{number}街",
        f"الشارع {number} شرقا",
    )


def stretch(number, start, end):
    """A numbered street between two avenues."""
    name, (at, since, _), (to, _, until) = street(number), AVENUES[start], AVENUES[end]
    return words(
        f"{name['en']}, {at['en']} to {to['en']}",
        f"{name['fr']}, {since['fr']} {until['fr']}",
        f"{name['es']}, {since['es']} {until['es']}",
        f"{name['ru']}, {since['ru']} {until['ru']}",
        f"{name['zh']}，{at['zh']}至{to['zh']}",
        f"{name['ar']}، من {at['ar']} إلى {to['ar']}",
    )


def first_avenue(start, end):
    """First Avenue, its upper roadway, between two streets."""
    return words(
        f"First Avenue (upper roadway), {ordinal(start)} to {ordinal(end)} Street",
        f"Première Avenue (chaussée supérieure), de la {start}e à la {end}e Rue",
        f"Primera Avenida (calzada superior), de la calle {start} a la calle {end}",
        f"Первая авеню (верхний уровень), от {start}-й до {end}-й улицы",
        f"第一大道（上层路面），{start}街至{end}街",
        f"الجادة الأولى (الطريق العلوي)، من الشارع {start} إلى الشارع {end}",
    )


def corner(kind, avenue, number):
    """What is at the corner of an avenue and a street."""
    name = AVENUES[avenue][0]
    return words(
        f"{kind['en']}, {name['en']} and {ordinal(number)} Street",
        f"{kind['fr']}, angle de la {name['fr']} et de la {number}e Rue",
        f"{kind['es']}, {name['es']} y calle {number}",
        f"{kind['ru']}, {name['ru']} и {number}-я улица",
        f"{kind['zh']}，{name['zh']}与{number}街路口",
        f"{kind['ar']}، {name['ar']} والشارع {number}",
    )


CHECKPOINT = words(
    "Checkpoint",
    "Point de contrôle",
    "Puesto de control",
    "Контрольно-пропускной пункт",
    "检查站",
    "نقطة تفتيش",
)
CROSSING = words("Crossing", "Passage piéton", "Paso de peatones", "Пешеходный переход", "人行横道", "معبر المشاة")
TUNNEL = words(
    "First Avenue tunnel (lower roadway), 41st to 48th Street",
    "Tunnel de la Première Avenue (chaussée inférieure), de la 41e à la 48e Rue",
    "Túnel de la Primera Avenida (calzada inferior), de la calle 41 a la calle 48",
    "Тоннель под Первой авеню (нижний уровень), от 41-й до 48-й улицы",
    "第一大道隧道（下层路面），41街至48街",
    "نفق الجادة الأولى (الطريق السفلي)، من الشارع 41 إلى الشارع 48",
)
TUNNEL_OTHER = words(
    "First Avenue underpass",
    "Passage souterrain de la Première Avenue",
    "Paso subterráneo de la Primera Avenida",
    "Подземный проезд под Первой авеню",
    "第一大道地下通道",
    "الممر السفلي للجادة الأولى",
)
STAFF_42 = words(
    "42nd Street staff entrance",
    "Entrée du personnel, 42e Rue",
    "Entrada del personal por la calle 42",
    "Вход для персонала с 42-й улицы",
    "42街工作人员入口",
    "مدخل الموظفين بالشارع 42",
)
SOUTH_46 = words(
    "46th Street entrance, southern gates",
    "Entrée de la 46e Rue, portails sud",
    "Entrada de la calle 46, puertas meridionales",
    "Вход с 46-й улицы, южные ворота",
    "46街入口，南侧大门",
    "مدخل الشارع 46، البوابات الجنوبية",
)
NORTH_46 = words(
    "46th Street entrance, northern gate",
    "Entrée de la 46e Rue, portail nord",
    "Entrada de la calle 46, puerta septentrional",
    "Вход с 46-й улицы, северные ворота",
    "46街入口，北侧大门",
    "مدخل الشارع 46، البوابة الشمالية",
)
MEDIA_47 = words(
    "47th Street entrance",
    "Entrée de la 47e Rue",
    "Entrada de la calle 47",
    "Вход с 47-й улицы",
    "47街入口",
    "مدخل الشارع 47",
)
GARAGE = words(
    "Headquarters garage",
    "Garage du Siège",
    "Garaje de la Sede",
    "Гараж Центральных учреждений",
    "总部车库",
    "مرآب المقر",
)
HEADQUARTERS = words(
    "United Nations Headquarters",
    "Siège de l’Organisation des Nations Unies",
    "Sede de las Naciones Unidas",
    "Центральные учреждения Организации Объединенных Наций",
    "联合国总部",
    "مقر الأمم المتحدة",
)
PASS_OFFICE = words(
    "Pass and Identification Unit",
    "Groupe des cartes d’accès et d’identité",
    "Dependencia de Pases e Identificación",
    "Группа пропусков и удостоверений личности",
    "出入证和身份证股",
    "وحدة تصاريح الدخول وبطاقات الهوية",
)
PASS_OFFICE_OTHER = words(
    "Pass office",
    "Bureau des cartes d’accès",
    "Oficina de pases",
    "Бюро пропусков",
    "出入证办公室",
    "مكتب تصاريح الدخول",
)
VISITORS_CENTRE = words(
    "Visitors Centre (UNITAR Building)",
    "Centre des visiteurs (bâtiment de l’UNITAR)",
    "Centro de Visitantes (edificio del UNITAR)",
    "Центр для посетителей (здание ЮНИТАР)",
    "访客中心（训研所大楼）",
    "مركز الزوار (مبنى اليونيتار)",
)
PREGNY = words(
    "Pregny Gate", "Portail de Pregny", "Puerta de Pregny", "Ворота Преньи", "普雷尼门", "بوابة بريني"
)
PEACE = words("Peace Gate", "Portail de la Paix", "Puerta de la Paz", "Ворота Мира", "和平门", "بوابة السلام")
PEACE_BIS = words(
    "Peace Gate bis",
    "Portail de la Paix bis",
    "Puerta de la Paz bis",
    "Ворота Мира-бис",
    "和平侧门",
    "بوابة السلام الفرعية",
)

PUBLIC_CLOSED = words(
    "Closed to the public; guided tours and construction work are suspended.",
    "Fermé au public ; visites guidées et travaux suspendus.",
    "Cerrada al público; se suspenden las visitas guiadas y las obras.",
    "Закрыто для посетителей; экскурсии и строительные работы приостановлены.",
    "不对公众开放；导览和施工暂停。",
    "مغلق أمام الجمهور؛ والجولات المصحوبة بمرشدين وأعمال البناء معلقة.",
)
STAFF_CROSS = words(
    "Staff are encouraged to cross at 42nd Street and First Avenue.",
    "Le personnel est invité à traverser à l’angle de la 42e Rue et de la Première Avenue.",
    "Se alienta al personal a cruzar por la calle 42 y la Primera Avenida.",
    "Персоналу рекомендуется переходить на углу 42-й улицы и Первой авеню.",
    "鼓励工作人员从42街与第一大道路口过街。",
    "يُشجَّع الموظفون على العبور عند الشارع 42 والجادة الأولى.",
)
VIPS_AND_DELEGATIONS = words(
    "For VIPs and delegations.",
    "Réservé aux hautes personnalités et aux délégations.",
    "Para altas personalidades y delegaciones.",
    "Для высокопоставленных лиц и делегаций.",
    "供贵宾和代表团使用。",
    "لكبار الشخصيات والوفود.",
)
OTHER_PASSES = words(
    "For other pass holders who need screening.",
    "Pour les autres titulaires de cartes d’accès soumis au contrôle de sécurité.",
    "Para los demás titulares de pases que deban pasar el control de seguridad.",
    "Для других владельцев пропусков, проходящих досмотр.",
    "供其他须接受安检的出入证持有人使用。",
    "لحاملي تصاريح الدخول الآخرين الذين يلزم تفتيشهم.",
)
MEDIA_SCREENING = words(
    "For the screening of the media.",
    "Réservé au contrôle de sécurité des médias.",
    "Para el control de seguridad de los medios de comunicación.",
    "Для досмотра представителей средств массовой информации.",
    "供媒体人员安检使用。",
    "لتفتيش ممثلي وسائط الإعلام.",
)
GARAGE_SWEEP = words(
    "Security sweep; vehicles must leave by 22:00.",
    "Inspection de sécurité ; les véhicules doivent être sortis à 22 heures au plus tard.",
    "Inspección de seguridad; los vehículos deberán salir antes de las 22.00 horas.",
    "Проверка службой безопасности; автомобили должны выехать до 22 ч. 00 м.",
    "安全检查；车辆须在22时前驶离。",
    "تفتيش أمني؛ ويجب أن تغادر المركبات بحلول الساعة 22:00.",
)
GARAGE_REOPENS = words(
    "For those entitled to park; vehicles are screened at the 48th Street entrance.",
    "Pour les personnes autorisées à stationner ; les véhicules sont contrôlés à l’entrée de la 48e Rue.",
    "Para quienes tengan derecho a estacionar; los vehículos se inspeccionan en la entrada de la calle 48.",
    "Для имеющих право на стоянку; автомобили досматриваются у въезда с 48-й улицы.",
    "供有停车权者使用；车辆在48街入口接受检查。",
    "لمن يحق لهم إيقاف مركباتهم؛ وتُفتَّش المركبات عند مدخل الشارع 48.",
)
MOTORCADES = words(
    "Except for escorted motorcades.",
    "Sauf aux cortèges escortés.",
    "Salvo para las caravanas escoltadas.",
    "Кроме кортежей с сопровождением.",
    "有护送的车队除外。",
    "باستثناء المواكب المصحوبة بحراسة.",
)
CROSS_46 = words(
    "Also for persons with disabilities; non-governmental organizations and persons with disabilities show a pass.",
    "Ouvert aussi aux personnes handicapées ; les organisations non gouvernementales et les personnes handicapées "
    "présentent une carte d’accès.",
    "También para las personas con discapacidad; las organizaciones no gubernamentales y las personas con "
    "discapacidad deben mostrar un pase.",
    "Также для лиц с инвалидностью; представители неправительственных организаций и лица с инвалидностью предъявляют "
    "пропуск.",
    "残疾人亦可通行；非政府组织人员和残疾人须出示出入证。",
    "متاح أيضا للأشخاص ذوي الإعاقة؛ وعلى ممثلي المنظمات غير الحكومية والأشخاص ذوي الإعاقة إبراز تصريح.",
)
TUNNEL_2024 = words(
    "Passenger vehicles and MTA buses only.",
    "Voitures particulières et autobus de la MTA seulement.",
    "Solo automóviles de pasajeros y autobuses de la MTA.",
    "Только легковые автомобили и автобусы MTA.",
    "仅供小客车和MTA公共汽车通行。",
    "لسيارات الركاب وحافلات هيئة النقل MTA فقط.",
)
MANAGED = words(
    "The police manage access.",
    "La police règle l’accès.",
    "La policía controla el acceso.",
    "Доступ регулирует полиция.",
    "由警方管控出入。",
    "تنظم الشرطة الدخول.",
)
RAMP = words(
    "The police manage access. The exit of FDR Drive opens after 19:00 for westbound traffic only.",
    "La police règle l’accès. La sortie de FDR Drive ouvre après 19 heures, vers l’ouest seulement.",
    "La policía controla el acceso. La salida de FDR Drive abre después de las 19.00 horas, solo en dirección oeste.",
    "Доступ регулирует полиция. Съезд с магистрали ФДР открывается после 19 ч. 00 м. только в западном направлении.",
    "由警方管控出入。罗斯福东河大道出口19时后开放，仅限西行。",
    "تنظم الشرطة الدخول. ويُفتح مخرج طريق فرانكلين روزفلت السريع بعد الساعة 19:00 للسير غربا فقط.",
)
EMERGENCY_LANE = words(
    "A lane is kept for emergency vehicles.",
    "Une voie est réservée aux véhicules d’urgence.",
    "Un carril se reserva para los vehículos de emergencia.",
    "Одна полоса отведена для экстренных служб.",
    "一条车道留给应急车辆使用。",
    "يُخصَّص مسار لمركبات الطوارئ.",
)
ON_FOOT = words(
    "For people on foot, who are checked. The source does not say which passes are let through.",
    "Pour les piétons, qui sont contrôlés. La source n’indique pas quelles cartes d’accès sont admises.",
    "Para peatones, que son controlados. La fuente no indica con qué pases se permite el paso.",
    "Для пешеходов, с проверкой. Источник не указывает, с какими пропусками разрешен проход.",
    "供行人通行，须接受检查。来源未说明哪些出入证可以通行。",
    "للمشاة مع التحقق منهم. ولا يبين المصدر أي التصاريح يُسمح لحاملها بالمرور.",
)
DAILY = words(
    "Daily while the week lasts.",
    "Chaque jour pendant toute la semaine.",
    "Todos los días mientras dure la semana.",
    "Ежедневно в течение всей недели.",
    "整周每日封闭。",
    "يوميا طوال الأسبوع.",
)
MEDIA_PASSES = words(
    "Media passes only.",
    "Cartes d’accès pour les médias seulement.",
    "Solo pases para los medios de comunicación.",
    "Только пропуска для средств массовой информации.",
    "仅办理媒体出入证。",
    "تصاريح وسائط الإعلام فقط.",
)
FIRST_ENTRY = words(
    "First entry of conference participants; badges are issued here.",
    "Première entrée des participants aux conférences ; délivrance des badges.",
    "Primera entrada de los participantes en conferencias; aquí se expiden los distintivos.",
    "Первый вход участников конференций; здесь выдаются пропуска.",
    "与会者首次入场；在此发放胸卡。",
    "الدخول الأول للمشاركين في المؤتمرات؛ وتُصدر الشارات هنا.",
)
VISITORS_BADGES = words(
    "Visitors’ badges. The source names no days; weekdays are assumed.",
    "Badges de visiteur. La source n’indique pas les jours ; les jours ouvrables sont présumés.",
    "Distintivos de visitante. La fuente no indica los días; se suponen los laborables.",
    "Пропуска посетителей. Источник не указывает дни; предполагаются будние.",
    "访客胸卡。来源未注明日期；按工作日推定。",
    "شارات الزوار. ولا يبين المصدر الأيام؛ ويُفترض أنها أيام العمل.",
)
LONG_TERM = words(
    "Long-term badges, by the notice of 2023.",
    "Badges de longue durée, selon l’avis de 2023.",
    "Distintivos de larga duración, según el aviso de 2023.",
    "Долгосрочные пропуска, согласно уведомлению 2023 года.",
    "长期胸卡，依据2023年通知。",
    "الشارات الطويلة الأجل، وفقا لإشعار عام 2023.",
)
