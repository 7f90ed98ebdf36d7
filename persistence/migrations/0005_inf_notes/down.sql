drop table inf_note_text, inf_note;
drop function is_sections(jsonb);
drop function is_reissues(jsonb);
