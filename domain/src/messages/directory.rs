//! The directory.

use super::Six;

pub(super) const ROWS: &[Six] = &[
    [
        "يلزم اسم أو اسم مختصر",
        "must have a name or an acronym",
        "debe tener un nombre o una sigla",
        "doit comporter un nom ou un sigle",
        "требуется название или аббревиатура",
        "必须有名称或简称",
    ],
    [
        "يلزم ذكر iso2 (حرفان لاتينيان كبيران) و iso3 (ثلاثة أحرف لاتينية كبيرة) و m49 (ثلاثة أرقام)",
        "must carry iso2 (2 capital letters), iso3 (3 capital letters) and m49 (3 digits)",
        "debe incluir iso2 (2 letras mayúsculas), iso3 (3 letras mayúsculas) y m49 (3 dígitos)",
        "doit comporter iso2 (2 lettres majuscules), iso3 (3 lettres majuscules) et m49 (3 chiffres)",
        "требуются iso2 (2 заглавные латинские буквы), iso3 (3 заглавные латинские буквы) и m49 (3 цифры)",
        "必须包括iso2（2个大写字母）、iso3（3个大写字母）和m49（3位数字）",
    ],
    [
        "لا يمكن أن تكون الوحدة فوق نفسها",
        "a unit is not above itself",
        "una dependencia no puede estar por encima de sí misma",
        "une unité ne peut être placée au-dessus d'elle-même",
        "подразделение не может стоять над самим собой",
        "单位不能是其自身的上级",
    ],
    [
        "يقع دون الوحدة نفسها في التسلسل الإداري",
        "is below the unit itself",
        "está por debajo de la propia dependencia",
        "est placé au-dessous de l'unité elle-même",
        "находится ниже самого этого подразделения",
        "是该单位自身的下级",
    ],
    [
        "سبق إسناد هذه الوظيفة إليه",
        "is held already",
        "esta función ya está indicada",
        "cette fonction est déjà indiquée",
        "эта должность уже указана",
        "该职务已经列出",
    ],
    [
        "لمركز العمل هذا جهة اتصال بالفعل",
        "the duty station has a contact point already",
        "el lugar de destino ya tiene un punto de contacto",
        "le lieu d'affectation a déjà un point de contact",
        "у этого места службы уже есть контактный пункт",
        "该工作地点已有联络点",
    ],
    [
        "يحيل إلى قيد مغلق أو محجوب عن بعض قراء هذا القيد نفسه",
        "refers to an entry that is closed, or that not all of its own audience may see",
        "remite a una entrada cerrada o que no todos sus propios destinatarios pueden ver",
        "renvoie à une entrée fermée, ou invisible pour une partie de ses propres destinataires",
        "ссылается на запись, которая закрыта или видна не всем его собственным читателям",
        "引用了已关闭的条目，或引用了并非其所有读者都能看到的条目",
    ],
];
