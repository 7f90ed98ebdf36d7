-- With the triggers that call it.
drop function audit_changed() cascade;
drop function audit_truncate_refused() cascade;
drop function audit_follow(regclass, text, text, text, text, text, text[], boolean);
drop function audit_note(text, text, uuid, jsonb);
drop function audit_actor();
drop function audit_settled();
drop function audit_begin();
drop function audit_position();
drop table audit_entry;
drop function audit_is_append_only();
