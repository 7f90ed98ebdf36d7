drop trigger sync_billing_units on unit;
drop function sync_billing_units_changed();
drop table charge_rule, rate, rate_card;
drop function is_cost_condition(text, time, time, integer);
drop domain event_organizers, event_kinds, currency;
drop function cost_categories();
drop function is_interpreters(jsonb);
