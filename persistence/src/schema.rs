//! The tables as Diesel sees them. The migrations are what counts; tests/ compares the two.
#![allow(missing_docs)]

diesel::table! {
    sync_head (stream) {
        stream -> Text,
        rev -> BigInt,
        nonce -> Uuid,
    }
}

diesel::table! {
    sync_tx (nonce) {
        nonce -> Uuid,
        stream -> Text,
        rev -> Nullable<BigInt>,
        at -> Timestamptz,
    }
}

diesel::table! {
    sync_log (n) {
        n -> BigInt,
        tx -> Uuid,
        kind -> Text,
        id -> Uuid,
        audience_before -> Nullable<Text>,
        audience_after -> Nullable<Text>,
    }
}

diesel::table! {
    oauth_client (id) {
        id -> Uuid,
        name -> Text,
        role -> Text,
        mission_id -> Nullable<Uuid>,
        secret_hash -> Text,
        created_at -> Timestamptz,
        disabled_at -> Nullable<Timestamptz>,
        scopes -> Nullable<Array<Text>>,
        rights_version -> Integer,
        row_version -> Integer,
    }
}

diesel::table! {
    app (id) {
        id -> Uuid,
        name -> Text,
        redirect_uris -> Array<Text>,
        scopes -> Array<Text>,
        created_at -> Timestamptz,
        disabled_at -> Nullable<Timestamptz>,
        rights_version -> Integer,
        row_version -> Integer,
    }
}

diesel::table! {
    account (id) {
        id -> Uuid,
        mail -> Text,
        name -> Text,
        language -> Text,
        roles -> Array<Text>,
        mission_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        suspended_at -> Nullable<Timestamptz>,
        removed_at -> Nullable<Timestamptz>,
        rights_version -> Integer,
        row_version -> Integer,
    }
}

diesel::table! {
    password (account_id) {
        account_id -> Uuid,
        hash -> Text,
        set_at -> Timestamptz,
    }
}

diesel::table! {
    second_factor (id) {
        id -> Uuid,
        account_id -> Uuid,
        kind -> Text,
        secret -> Binary,
        confirmed_at -> Nullable<Timestamptz>,
        last_step -> BigInt,
    }
}

diesel::table! {
    recovery_code (account_id, hash) {
        account_id -> Uuid,
        hash -> Binary,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    password_link (hash) {
        hash -> Binary,
        account_id -> Uuid,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    browser_session (id) {
        id -> Uuid,
        hash -> Binary,
        account_id -> Uuid,
        authenticated_at -> Nullable<Timestamptz>,
        second_factor_at -> Nullable<Timestamptz>,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    session (id) {
        id -> Uuid,
        account_id -> Uuid,
        app_id -> Uuid,
        device -> Text,
        scope -> Text,
        has_second_factor -> Bool,
        rotation_key -> Binary,
        generation -> Integer,
        rotated_at -> Timestamptz,
        created_at -> Timestamptz,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        ended_by -> Nullable<Text>,
    }
}

diesel::table! {
    authorization_code (hash) {
        hash -> Binary,
        account_id -> Uuid,
        app_id -> Uuid,
        redirect_uri -> Text,
        code_challenge -> Text,
        scope -> Text,
        device -> Text,
        has_second_factor -> Bool,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
        session_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    mail (id) {
        id -> Uuid,
        kind -> Text,
        address -> Text,
        language -> Text,
        created_at -> Timestamptz,
        attempts -> Integer,
        next_attempt_at -> Timestamptz,
        sent_at -> Nullable<Timestamptz>,
        given_up_at -> Nullable<Timestamptz>,
        shown -> Nullable<Jsonb>,
    }
}

diesel::table! {
    signing_key (kid) {
        kid -> Text,
        private_key -> Binary,
        public_key -> Binary,
        created_at -> Timestamptz,
        retired_at -> Nullable<Timestamptz>,
        signs_from -> Timestamptz,
        verifies_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    import_run (id) {
        id -> Uuid,
        client_id -> Uuid,
        feature -> Text,
        source -> Text,
        format -> Text,
        dry_run -> Bool,
        replace -> Bool,
        force -> Bool,
        state -> Text,
        rows_done -> BigInt,
        rows_total -> Nullable<BigInt>,
        timings -> Jsonb,
        report -> Nullable<Jsonb>,
        problem -> Nullable<Jsonb>,
        started_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    audit_entry (n) {
        n -> BigInt,
        at -> Timestamptz,
        actor_kind -> Text,
        actor_id -> Nullable<Uuid>,
        client_id -> Nullable<Uuid>,
        session_id -> Nullable<Uuid>,
        request_id -> Nullable<Uuid>,
        database_role -> Text,
        op -> Text,
        kind -> Text,
        object_id -> Uuid,
        part -> Nullable<Text>,
        subject_id -> Nullable<Uuid>,
        mission_id -> Nullable<Uuid>,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
    }
}

diesel::table! {
    organization (id) {
        id -> Uuid,
        source -> Text,
        source_key -> Text,
        audience -> Text,
        closed_at -> Nullable<Timestamptz>,
        visible_to -> Nullable<Text>,
        name -> Jsonb,
        acronym -> Nullable<Jsonb>,
        former_names -> Jsonb,
        contact -> Jsonb,
        provenance -> Jsonb,
    }
}

diesel::table! {
    unit (id) {
        id -> Uuid,
        source -> Text,
        source_key -> Text,
        audience -> Text,
        closed_at -> Nullable<Timestamptz>,
        visible_to -> Nullable<Text>,
        organization_id -> Uuid,
        parent_id -> Nullable<Uuid>,
        name -> Jsonb,
        acronym -> Nullable<Jsonb>,
        unit_kind -> Text,
        former_names -> Jsonb,
        duty_station -> Nullable<Text>,
        contact -> Jsonb,
        provenance -> Jsonb,
    }
}

diesel::table! {
    function (id) {
        id -> Uuid,
        source -> Text,
        source_key -> Text,
        audience -> Text,
        closed_at -> Nullable<Timestamptz>,
        visible_to -> Nullable<Text>,
        unit_id -> Uuid,
        title -> Jsonb,
        duty_station -> Text,
        contact -> Jsonb,
        provenance -> Jsonb,
    }
}

diesel::table! {
    mission (id) {
        id -> Uuid,
        source -> Text,
        source_key -> Text,
        audience -> Text,
        closed_at -> Nullable<Timestamptz>,
        visible_to -> Nullable<Text>,
        organization_id -> Uuid,
        duty_station -> Text,
        short_name -> Jsonb,
        formal_name -> Jsonb,
        state -> Nullable<Jsonb>,
        contact -> Jsonb,
        provenance -> Jsonb,
    }
}

diesel::table! {
    person (id) {
        id -> Uuid,
        source -> Text,
        source_key -> Text,
        audience -> Text,
        closed_at -> Nullable<Timestamptz>,
        visible_to -> Nullable<Text>,
        given_name -> Nullable<Text>,
        family_name -> Text,
        native_name -> Nullable<Text>,
        honorific -> Nullable<Text>,
        job_title -> Nullable<Jsonb>,
        unit_id -> Nullable<Uuid>,
        mission_id -> Nullable<Uuid>,
        duty_station -> Nullable<Text>,
        contact -> Jsonb,
        provenance -> Jsonb,
    }
}

diesel::table! {
    holding (person_id, function_id) {
        person_id -> Uuid,
        function_id -> Uuid,
        since -> Nullable<Date>,
    }
}

diesel::table! {
    service (id) {
        id -> Uuid,
        source -> Text,
        source_key -> Text,
        audience -> Text,
        closed_at -> Nullable<Timestamptz>,
        visible_to -> Nullable<Text>,
        name -> Jsonb,
        description -> Nullable<Jsonb>,
        keywords -> Jsonb,
        provenance -> Jsonb,
    }
}

diesel::table! {
    contact_point (service_id, duty_station) {
        service_id -> Uuid,
        duty_station -> Text,
        function_id -> Uuid,
    }
}

diesel::table! {
    inf_note (id) {
        id -> Uuid,
        source -> Text,
        source_key -> Text,
        audience -> Text,
        closed_at -> Nullable<Timestamptz>,
        embargo_until -> Nullable<Timestamptz>,
        published_at -> Nullable<Timestamptz>,
        visible_to -> Nullable<Text>,
        symbol -> Text,
        date -> Nullable<Date>,
        reissues -> Jsonb,
        job_number -> Nullable<Text>,
        distribution -> Nullable<Text>,
        original_language -> Nullable<Text>,
        session_dates -> Jsonb,
        provenance -> Jsonb,
    }
}

diesel::table! {
    inf_note_text (inf_note_id, language) {
        inf_note_id -> Uuid,
        language -> Text,
        title -> Text,
        subtitle -> Nullable<Text>,
        place_dates -> Nullable<Text>,
        sections -> Jsonb,
        confidence -> Text,
        appeared_at -> Nullable<Timestamptz>,
        appeared_confidence -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(sync_tx, sync_log);
diesel::table! {
    bulletin (id) {
        id -> Uuid,
        source -> Text,
        source_key -> Text,
        audience -> Text,
        closed_at -> Nullable<Timestamptz>,
        embargo_until -> Nullable<Timestamptz>,
        published_at -> Nullable<Timestamptz>,
        visible_to -> Nullable<Text>,
        identifier -> Text,
        issuer_code -> Text,
        issuer_name -> Jsonb,
        duty_station -> Text,
        time_zone -> Text,
        message_type -> Text,
        category -> Text,
        severity -> Text,
        urgency -> Text,
        certainty -> Text,
        sent_at -> Timestamptz,
        sent_reading -> Nullable<Jsonb>,
        onset_at -> Nullable<Timestamptz>,
        onset_reading -> Nullable<Jsonb>,
        expires_at -> Nullable<Timestamptz>,
        expires_reading -> Nullable<Jsonb>,
        expired_at -> Nullable<Timestamptz>,
        texts -> Jsonb,
        provenance -> Jsonb,
    }
}

diesel::table! {
    bulletin_reference (bulletin_id, earlier_id) {
        bulletin_id -> Uuid,
        earlier_id -> Uuid,
    }
}

diesel::table! {
    place (id) {
        id -> Uuid,
        source -> Text,
        source_key -> Text,
        audience -> Text,
        closed_at -> Nullable<Timestamptz>,
        visible_to -> Nullable<Text>,
        place_kind -> Text,
        duty_station -> Text,
        time_zone -> Text,
        name -> Jsonb,
        other_names -> Jsonb,
        address -> Nullable<Jsonb>,
        provenance -> Jsonb,
    }
}

diesel::table! {
    opening (place_id, position) {
        place_id -> Uuid,
        position -> Integer,
        state -> Text,
        passes -> Nullable<Array<Text>>,
        directed_elsewhere -> Array<Text>,
        from_at -> Nullable<Timestamptz>,
        from_reading -> Nullable<Jsonb>,
        until_at -> Nullable<Timestamptz>,
        until_reading -> Nullable<Jsonb>,
        hours -> Nullable<Jsonb>,
        screening -> Text,
        note -> Nullable<Jsonb>,
        basis_id -> Nullable<Uuid>,
        provenance -> Jsonb,
    }
}

diesel::table! {
    rate_card (id) {
        id -> Uuid,
        source -> Text,
        source_key -> Text,
        audience -> Text,
        closed_at -> Nullable<Timestamptz>,
        visible_to -> Nullable<Text>,
        duty_station -> Nullable<Text>,
        title -> Jsonb,
        valid_from -> Nullable<Date>,
        valid_until -> Nullable<Date>,
        validity_inferred -> Bool,
        currency -> Text,
        interpreters -> Jsonb,
        provenance -> Jsonb,
    }
}

diesel::table! {
    rate (card_id, code) {
        card_id -> Uuid,
        code -> Text,
        position -> Integer,
        category -> Text,
        item -> Jsonb,
        unit -> Text,
        low -> Nullable<Numeric>,
        high -> Nullable<Numeric>,
        currency -> Nullable<Text>,
        percent -> Nullable<Numeric>,
        base -> Nullable<Text>,
        above -> Nullable<Numeric>,
        above_currency -> Nullable<Text>,
        applies_when -> Text,
        regular_from -> Nullable<Time>,
        regular_until -> Nullable<Time>,
        notice_days -> Nullable<Integer>,
        kinds -> Array<Text>,
        organizers -> Array<Text>,
        office -> Nullable<Jsonb>,
        office_kind -> Nullable<Text>,
        office_unit_id -> Nullable<Uuid>,
        note -> Nullable<Jsonb>,
        provenance -> Jsonb,
    }
}

diesel::table! {
    charge_rule (card_id, code) {
        card_id -> Uuid,
        code -> Text,
        position -> Integer,
        text -> Jsonb,
        effect -> Text,
        categories -> Array<Text>,
        kinds -> Array<Text>,
        organizers -> Array<Text>,
        applies_when -> Text,
        regular_from -> Nullable<Time>,
        regular_until -> Nullable<Time>,
        notice_days -> Nullable<Integer>,
        lead_hours -> Nullable<Integer>,
        provenance -> Jsonb,
    }
}

diesel::joinable!(inf_note_text -> inf_note (inf_note_id));
diesel::allow_tables_to_appear_in_same_query!(inf_note, inf_note_text);
diesel::joinable!(holding -> person (person_id));
diesel::joinable!(holding -> function (function_id));
diesel::joinable!(contact_point -> function (function_id));
diesel::allow_tables_to_appear_in_same_query!(holding, person, function, contact_point);
diesel::joinable!(opening -> bulletin (basis_id));
diesel::allow_tables_to_appear_in_same_query!(bulletin, opening);
diesel::joinable!(session -> app (app_id));
diesel::allow_tables_to_appear_in_same_query!(session, app, account);
diesel::joinable!(session -> account (account_id));
diesel::joinable!(browser_session -> account (account_id));
diesel::allow_tables_to_appear_in_same_query!(browser_session, account);
diesel::joinable!(password -> account (account_id));
diesel::allow_tables_to_appear_in_same_query!(password, account);
