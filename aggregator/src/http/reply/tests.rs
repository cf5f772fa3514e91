use super::*;
use serde_json::json;

#[derive(Serialize, ToSchema)]
struct Pump {
    pump_id: u32,
}

impl Resource for Pump {
    const FLAT: Flat = Flat::named("pump", "pumps");
}

#[derive(Serialize, ToSchema)]
struct Drawing {
    mime_type: &'static str,
}

impl Resource for Drawing {
    const FLAT: Flat = Flat::fields().camel();
}

fn scene(dialect: Dialect, query: Option<&str>) -> Scene {
    Scene {
        dialect,
        request_id: "r-1".into(),
        path: "/api/v1/pumps".into(),
        query: query.map(str::to_owned),
        now_ms: 0,
    }
}

fn body(reply: &dyn Render, scene: &Scene) -> Value {
    serde_json::from_slice(&reply.render(scene).unwrap().body).unwrap()
}

#[test]
fn one_is_wrapped_in_v1_and_named_in_flat() {
    let one = One(Pump { pump_id: 7 });
    assert_eq!(
        body(&one, &scene(Dialect::V1, None)),
        json!({
            "data": { "pump_id": 7 },
            "meta": { "request_id": "r-1" },
            "links": { "self": "/api/v1/pumps" },
        })
    );
    assert_eq!(
        body(&one, &scene(Dialect::Flat, None)),
        json!({ "success": true, "pump": { "pump_id": 7 } })
    );
}

#[test]
fn fields_stand_at_the_top_in_camel_case_where_the_document_has_them_so() {
    let one = One(Drawing { mime_type: "image/svg+xml" });
    assert_eq!(
        body(&one, &scene(Dialect::Flat, None)),
        json!({ "success": true, "mimeType": "image/svg+xml" })
    );
    assert_eq!(
        body(&one, &scene(Dialect::V1, None))["data"],
        json!({ "mime_type": "image/svg+xml" })
    );
}

#[test]
fn a_page_says_where_it_stands_in_either_form() {
    let page = Many::page(vec![Pump { pump_id: 7 }], 2, 1, 3).fact("first_run", false);
    let v1 = body(&page, &scene(Dialect::V1, Some("page=2&per_page=1")));
    assert_eq!(
        v1["meta"],
        json!({ "total": 3, "page": 2, "per_page": 1, "first_run": false, "request_id": "r-1" })
    );
    assert_eq!(
        v1["links"],
        json!({
            "self": "/api/v1/pumps?page=2&per_page=1",
            "next": "/api/v1/pumps?per_page=1&page=3",
            "prev": "/api/v1/pumps?per_page=1&page=1",
        })
    );
    assert_eq!(
        body(&page, &scene(Dialect::Flat, None)),
        json!({
            "success": true,
            "pumps": [{ "pump_id": 7 }],
            "total": 3,
            "pagination": { "page": 2, "pageSize": 1, "total": 3, "totalPages": 3 },
            "first_run": false,
        })
    );
}

#[test]
fn a_cursor_is_a_link_too() {
    let list = Many::cursor(vec![Pump { pump_id: 7 }], 1, Some("abc".into()));
    let rendered = list.render(&scene(Dialect::V1, Some("limit=1"))).unwrap();
    let link = rendered.headers.iter().find(|(name, _)| name == header::LINK).unwrap();
    assert_eq!(link.1, "</api/v1/pumps?limit=1&cursor=abc>; rel=\"next\"");
}

#[test]
fn accepted_work_is_202_with_its_address_in_v1_and_200_in_flat() {
    let accepted = Accepted { item: Pump { pump_id: 7 }, location: "/api/v1/operations/1".into() };
    let v1 = accepted.render(&scene(Dialect::V1, None)).unwrap();
    assert_eq!(v1.status, 202);
    assert_eq!(v1.headers[0].1, "/api/v1/operations/1");
    let flat = accepted.render(&scene(Dialect::Flat, None)).unwrap();
    assert_eq!((flat.status.as_u16(), flat.headers.len()), (200, 0));
}

#[test]
fn the_schema_of_an_envelope_is_that_of_what_it_renders() {
    let mut schemas = Schemas::default();
    let schema = One::<Drawing>::schema(Dialect::Flat, &mut schemas);
    assert_eq!(
        schema,
        json!({
            "allOf": [
                {
                    "type": "object",
                    "required": ["success"],
                    "properties": { "success": { "type": "boolean", "const": true } },
                },
                { "$ref": "#/components/schemas/Drawing" },
            ],
        })
    );
    assert_eq!(schemas.0["Drawing"]["required"], json!(["mimeType"]));
    assert_eq!(schemas.0["Drawing"]["properties"]["mimeType"], json!({ "type": "string" }));
}
