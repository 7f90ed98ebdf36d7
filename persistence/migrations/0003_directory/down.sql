drop view directory_contradiction;
drop table contact_point, service, holding, person, mission, function, unit, organization;
drop function sync_functions_changed();
drop function sync_holders_changed();
drop function is_former_names(jsonb);
