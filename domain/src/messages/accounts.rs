//! Accounts, members, sessions and clients, and edits of them.

use super::Six;

pub(super) const ROWS: &[Six] = &[
    [
        "لا يجوز ذلك لصاحب الحساب على حسابه",
        "This cannot be done to one's own account",
        "No se puede hacer con la propia cuenta",
        "Cela ne se fait pas sur son propre compte",
        "Со своей учетной записью этого сделать нельзя",
        "不能对自己的账户执行此操作",
    ],
    [
        "يجب أن يبقى مدير واحد على الأقل",
        "Somebody must stay an administrator",
        "Debe quedar alguien como administrador",
        "Il doit rester un administrateur",
        "Должен остаться хотя бы один администратор",
        "必须至少保留一名管理员",
    ],
    [
        "تغير هذا منذ أن قرأته",
        "It has changed since you read it",
        "Ha cambiado desde que lo leyó",
        "Il a changé depuis que vous l'avez lu",
        "С тех пор как вы это прочли, оно изменилось",
        "自您读取以来内容已变更",
    ],
    [
        "يتطلب التعديل ترويسة If-Match",
        "An edit needs If-Match",
        "Una modificación requiere If-Match",
        "Une modification exige If-Match",
        "Для изменения нужен If-Match",
        "修改须附带If-Match",
    ],
    [
        "اقرأ العنصر أولا ثم أرسل قيمة ETag الخاصة به في الترويسة If-Match",
        "Read it, and send its ETag as If-Match",
        "Léalo y envíe su ETag como If-Match",
        "Lisez-le, puis envoyez son ETag comme If-Match",
        "Прочтите объект и отправьте его ETag в If-Match",
        "请先读取该对象，再将其ETag作为If-Match发送",
    ],
    [
        "الحسابات لمن سجل الدخول من الأشخاص فقط",
        "Only people who have signed in have an account",
        "Solo las personas que han iniciado sesión tienen una cuenta",
        "Seules les personnes qui se sont connectées ont un compte",
        "Учетная запись есть только у людей, выполнивших вход",
        "只有已登录的个人才有账户",
    ],
    [
        "يخص حسابا موجودا من قبل",
        "belongs to an account already",
        "ya pertenece a una cuenta",
        "appartient déjà à un compte",
        "уже принадлежит учетной записи",
        "已属于某个账户",
    ],
    [
        "لا توجد بعثة بهذا المعرف",
        "there is no mission of this id",
        "no hay ninguna misión con este identificador",
        "aucune mission n'a cet identifiant",
        "представительства с таким идентификатором нет",
        "没有此标识的代表团",
    ],
    [
        "مخصص للعملاء من النوع {kind} وحدهم",
        "is only for clients of the kind {kind}",
        "solo corresponde a clientes del tipo {kind}",
        "ne vaut que pour les clients du type {kind}",
        "допускается только для клиентов вида {kind}",
        "仅适用于类型为{kind}的客户端",
    ],
];
