//! Services and apps, as administrators make them.

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::{Person, ask, faults, two_missions};
use crate::harness::rows::{With, organization};
use crate::harness::{Reply, Who, World};

const NO_BODY: Value = Value::Null;

async fn create(world: &World, who: Who<'_>, body: Value) -> Reply {
    ask(world, Method::POST, "/v1/clients", who, body, None).await
}

/// Signs a service in.
async fn sign_in(world: &World, id: &Value, secret: &Value) -> Reply {
    let request = world.request(Method::POST, "/oauth/token", Who::Stranger);
    let request = request.basic_auth(id.as_str().unwrap(), secret.as_str());
    let form = "application/x-www-form-urlencoded";
    world.send(request.header("content-type", form).body("grant_type=client_credentials")).await
}

fn app() -> Value {
    json!({"kind": "app", "name": "Delegates' app", "scopes": ["read", "account"],
        "redirect_uris": ["org.example.delegates:/signed-in", "http://127.0.0.1/cb"]})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integrator_sees_what_its_mission_sees_and_no_more() {
    let world = World::empty().await;
    let (ours, theirs) = two_missions(&world).await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let for_named = |key: &str, of: &str| organization(key).with("audience", json!({"missions": [of]}));
    let rows = [
        for_named("for-us", "ours"),
        for_named("for-them", "theirs"),
        organization("inside").with("audience", json!("secretariat")),
    ];
    world.have("directory", &rows).await;
    let body = json!({"kind": "service", "name": "Protocol list", "role": "integrator", "mission": ours});
    let made = create(&world, admin.who(), body).await.expect(201);
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let made = made.json();
    assert_eq!(
        (&made["role"], &made["mission"], &made["scopes"]),
        (&json!("integrator"), &json!(ours), &json!(["read"]))
    );
    let token = sign_in(&world, &made["id"], &made["client_secret"]).await.expect(200).json();
    let token = token["access_token"].as_str().unwrap();
    let visible = async |key: &str| {
        let query = "select id from organization where source_key = $1";
        let id: Uuid = world.database.psql().await.query_one(query, &[&key]).await.unwrap().get(0);
        let path = format!("/v1/directory/organizations/{id}");
        world.get(&path, Who::Token(token)).await.status.as_u16()
    };
    assert_eq!([visible("un").await, visible("for-us").await], [200, 200]);
    assert_eq!([visible("for-them").await, visible("inside").await], [404, 404]);
    for path in ["/v1/account", "/v1/accounts", "/v1/clients", "/v1/sessions"] {
        assert_eq!(world.get(path, Who::Token(token)).await.problem(403), "forbidden", "{path}");
    }
    for mission in [ours, theirs] {
        let reply = world.get(&format!("/v1/missions/{mission}/members"), Who::Token(token)).await;
        assert_eq!(reply.problem(403), "forbidden");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_importer_imports_what_its_scopes_say() {
    let world = World::empty().await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let body = json!({"kind": "service", "name": "HR", "role": "importer", "scopes": ["directory:import", "read"]});
    let made = create(&world, admin.who(), body).await.expect(201);
    let path = made.header("location").unwrap().to_owned();
    let made = made.json();
    let token = sign_in(&world, &made["id"], &made["client_secret"]).await.expect(200).json();
    let token = token["access_token"].as_str().unwrap();
    world.import("directory", "", token, &[organization("o")]).await.expect(200);
    assert_eq!(world.import("bulletins", "", token, &[]).await.problem(403), "forbidden");
    // Less counts at once.
    let less = json!({"scopes": ["read"]});
    ask(&world, Method::PATCH, &path, admin.who(), less, Some("\"v1\"")).await.expect(200);
    world.eventually("/v1/directory/units", Who::Token(token), |reply| reply.status == 401).await;
    let token = sign_in(&world, &made["id"], &made["client_secret"]).await.expect(200).json();
    assert_eq!(token["scope"], "read");
    let off = json!({"enabled": false});
    let off = ask(&world, Method::PATCH, &path, admin.who(), off, Some("\"v2\"")).await.expect(200).json();
    assert_eq!(off["enabled"], false);
    sign_in(&world, &made["id"], &made["client_secret"]).await.expect(401);
    ask(&world, Method::PATCH, &path, admin.who(), json!({"enabled": true}), Some("\"v3\"")).await.expect(200);
    sign_in(&world, &made["id"], &made["client_secret"]).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_secret_ends_the_one_before_and_its_tokens() {
    let world = World::empty().await;
    let (ours, _) = two_missions(&world).await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let body = json!({"kind": "service", "name": "List", "role": "integrator", "mission": ours});
    let made = create(&world, admin.who(), body).await.expect(201).json();
    let id = made["id"].as_str().unwrap();
    let token = sign_in(&world, &made["id"], &made["client_secret"]).await.expect(200).json();
    let token = token["access_token"].as_str().unwrap();
    world.get("/v1/directory/units", Who::Token(token)).await.expect(200);
    let path = format!("/v1/clients/{id}/secret");
    let rotated = ask(&world, Method::POST, &path, admin.who(), NO_BODY, None).await.expect(200);
    assert_eq!(rotated.header("cache-control"), Some("no-store"));
    let rotated = rotated.json();
    assert_ne!(rotated["client_secret"], made["client_secret"]);
    let (_, took) = world.eventually("/v1/directory/units", Who::Token(token), |reply| reply.status == 401).await;
    assert!(took.as_millis() < 1000, "{took:?}");
    sign_in(&world, &made["id"], &made["client_secret"]).await.expect(401);
    sign_in(&world, &made["id"], &rotated["client_secret"]).await.expect(200);

    let made = create(&world, admin.who(), app()).await.expect(201).json();
    assert!(made["client_secret"].is_null(), "an app has none");
    for none in [made["id"].as_str().unwrap(), &Uuid::now_v7().to_string(), "x"] {
        let path = format!("/v1/clients/{none}/secret");
        assert_eq!(ask(&world, Method::POST, &path, admin.who(), NO_BODY, None).await.problem(404), "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_client_is_named() {
    let world = World::empty().await;
    let (ours, _) = two_missions(&world).await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let service = |more: Value| {
        let mut body = json!({"kind": "service", "name": "S"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let of_app = |field: &str, value: Value| app().with(field, value);
    let many = vec!["http://127.0.0.1/cb"; 21];
    for (body, wanted) in [
        (json!({"kind": "robot", "name": ""}), vec![("/name", "required"), ("/kind", "one_of")]),
        (service(json!({})), vec![("/role", "required")]),
        (service(json!({"role": "integrator"})), vec![("/mission", "required")]),
        (service(json!({"role": "integrator", "mission": Uuid::now_v7()})), vec![("/mission", "reference")]),
        (
            service(json!({"role": "integrator", "mission": ours, "scopes": ["directory:import"]})),
            vec![("/scopes/0", "one_of")],
        ),
        (service(json!({"role": "importer"})), vec![("/scopes", "required")]),
        (service(json!({"role": "importer", "scopes": []})), vec![("/scopes", "required")]),
        (service(json!({"role": "importer", "scopes": ["read", "read"]})), vec![("/scopes/1", "duplicate")]),
        (
            service(json!({"role": "importer", "scopes": ["accounts:manage", "root"]})),
            vec![("/scopes/0", "one_of"), ("/scopes/1", "one_of")],
        ),
        (service(json!({"role": "importer", "scopes": ["read"], "mission": ours})), vec![("/mission", "conflict")]),
        (
            service(json!({"role": "importer", "scopes": ["read"], "redirect_uris": ["http://127.0.0.1/"]})),
            vec![("/redirect_uris", "conflict")],
        ),
        (of_app("role", json!("integrator")), vec![("/role", "conflict")]),
        (of_app("mission", json!(ours)), vec![("/mission", "conflict")]),
        (of_app("redirect_uris", json!([])), vec![("/redirect_uris", "required")]),
        (of_app("redirect_uris", json!(many)), vec![("/redirect_uris", "length")]),
        (
            of_app(
                "redirect_uris",
                json!(["https://app.example.org/cb", "https://u@evil.example/", "http://evil.example/"]),
            ),
            vec![("/redirect_uris/1", "format"), ("/redirect_uris/2", "format")],
        ),
        (
            of_app("redirect_uris", json!(["http://127.0.0.1/cb", "http://127.0.0.1/cb"])),
            vec![("/redirect_uris/1", "duplicate")],
        ),
        (of_app("scopes", json!(null)), vec![("/scopes", "structure")]),
        (of_app("id", json!(ours)), vec![("/id", "unknown_field")]),
        (of_app("client_secret", json!("x")), vec![("/client_secret", "unknown_field")]),
        (of_app("enabled", json!(true)), vec![("/enabled", "unknown_field")]),
        (json!({"kind": "app", "name": "A"}), vec![("/scopes", "required"), ("/redirect_uris", "required")]),
    ] {
        let reply = create(&world, admin.who(), body.clone()).await;
        assert_eq!(reply.problem(422), "validation_failed", "{body}");
        let found = faults(&reply);
        assert_eq!(found.iter().map(|(p, r)| (p.as_str(), r.as_str())).collect::<Vec<_>>(), wanted, "{body}");
    }
    // Two signatures of two clients would not be those of two persons.
    for role in Role::ALL.into_iter().filter(|role| !role.is_of_a_service()) {
        let mut body = service(json!({"role": role.name()}));
        if role.is_of_a_mission() {
            body["mission"] = json!(ours);
        }
        let reply = create(&world, admin.who(), body).await.expect(422);
        assert_eq!(faults(&reply), [("/role".to_owned(), "one_of".to_owned())], "{role:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_edited_by_its_version_and_stays_what_it_is() {
    let world = World::empty().await;
    let (ours, _) = two_missions(&world).await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let made = create(&world, admin.who(), app()).await.expect(201);
    let path = made.header("location").unwrap().to_owned();
    let patch =
        async |body: Value, version: Option<&str>| ask(&world, Method::PATCH, &path, admin.who(), body, version).await;
    assert_eq!(patch(json!({"name": "B"}), None).await.problem(428), "precondition_required");
    let changed = patch(json!({"name": "B", "redirect_uris": ["https://app.example.org/cb"]}), Some("\"v1\"")).await;
    let changed = changed.expect(200);
    assert_eq!(changed.header("etag"), Some("\"v2\""));
    assert_eq!(changed.json()["redirect_uris"], json!(["https://app.example.org/cb"]));
    assert_eq!(patch(json!({"name": "C"}), Some("\"v1\"")).await.problem(412), "precondition_failed");
    for field in ["id", "kind", "role", "mission", "mission_id", "rev", "client_secret", "secret_hash"] {
        let reply = patch(json!({field: "x"}), Some("\"v2\"")).await.expect(422);
        assert_eq!(faults(&reply), [(format!("/{field}"), "unknown_field".to_owned())]);
    }
    assert_eq!(
        faults(&patch(json!({"scopes": ["root"]}), Some("\"v2\"")).await),
        [("/scopes/0".to_owned(), "one_of".to_owned())]
    );
    let body = json!({"kind": "service", "name": "L", "role": "integrator", "mission": ours});
    let service = create(&world, admin.who(), body).await.expect(201).header("location").unwrap().to_owned();
    let more = json!({"scopes": ["directory:import"], "redirect_uris": ["https://app.example.org/cb"]});
    let refused = ask(&world, Method::PATCH, &service, admin.who(), more, Some("\"v1\"")).await.expect(422);
    assert_eq!(
        faults(&refused),
        [("/redirect_uris".to_owned(), "conflict".to_owned()), ("/scopes/0".to_owned(), "one_of".to_owned())]
    );
    let none = format!("/v1/clients/{}", Uuid::now_v7());
    assert_eq!(ask(&world, Method::PATCH, &none, admin.who(), json!({}), Some("*")).await.problem(404), "not_found");
    assert_eq!(world.get(&none, admin.who()).await.problem(404), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_a_list_an_answer_or_a_log() {
    let world = World::empty().await;
    let (ours, _) = two_missions(&world).await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let body = json!({"kind": "service", "name": "L", "role": "integrator", "mission": ours});
    let made = create(&world, admin.who(), body).await.expect(201).json();
    let app = create(&world, admin.who(), app()).await.expect(201).json();
    let secret = made["client_secret"].as_str().unwrap();
    let mut pages = Vec::new();
    for path in ["/v1/clients", "/v1/clients?kind=service", &format!("/v1/clients/{}", made["id"].as_str().unwrap())] {
        let reply = world.get(path, admin.who()).await.expect(200);
        let text = String::from_utf8(reply.bytes.clone()).unwrap();
        assert!(!text.contains(secret) && !text.contains("secret") && !text.contains("argon2"), "{text}");
        pages.push(reply.json());
    }
    let listed =
        |page: &Value| page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert!(listed(&pages[0]).contains(&app["id"]) && !listed(&pages[1]).contains(&app["id"]));
    let first = world.get("/v1/clients?limit=1", admin.who()).await.expect(200);
    let next = first.header("link").unwrap();
    let next = world.get(&next[1..next.find('>').unwrap()], admin.who()).await.expect(200).json();
    assert_ne!(first.json()["items"][0]["id"], next["items"][0]["id"]);
    // Whatever a table holds beside the hash of it, the ordered log and the audit's too.
    let psql = world.database.psql().await;
    for row in psql
        .query("select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'", &[])
        .await
        .unwrap()
    {
        let table: String = row.get(0);
        let found = format!("select count(*) from {table} t where to_jsonb(t)::text like '%' || $1 || '%'");
        assert_eq!(psql.query_one(&found, &[&secret]).await.unwrap().get::<_, i64>(0), 0, "{table}");
    }
}
