drop table opening, place, bulletin_reference, bulletin;
drop function sync_reference_changed();
drop function sync_bulletin_seen();
drop function sync_opening_changed();
drop function sync_log_seen(text, text, uuid[]);
drop function is_time_zone(text);
drop function are_passes(text[]);
drop function is_bulletin_texts(jsonb);
drop function is_reading(jsonb);
