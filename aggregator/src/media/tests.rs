use super::*;

fn able() -> Able {
    let machines = vec![DeviceId(uuid::Uuid::from_u128(1))];
    Able {
        machines,
        plugin: "graphviz".into(),
        hash: "aa".into(),
        format: "graphviz".into(),
        choices: Arc::default(),
    }
}

fn request() -> RenderRequest {
    RenderRequest {
        format: "graphviz".into(),
        source: "digraph { a -> b }".into(),
        width: None,
        height: None,
        theme: None,
        options: Vec::new(),
        output: Output::Svg,
    }
}

fn engine(name: &str) -> Vec<(String, String)> {
    vec![("engine".into(), name.into())]
}

#[test]
fn everything_that_changes_the_picture_changes_its_key() {
    let key = cache_key(&able(), &request());
    let others = [
        cache_key(&Able { hash: "bb".into(), ..able() }, &request()),
        cache_key(&able(), &RenderRequest { width: Some(800), ..request() }),
        cache_key(&able(), &RenderRequest { height: Some(800), ..request() }),
        cache_key(&able(), &RenderRequest { theme: Some("dark".into()), ..request() }),
        cache_key(&able(), &RenderRequest { source: "digraph {}".into(), ..request() }),
        cache_key(&able(), &RenderRequest { format: "mermaid".into(), ..request() }),
        cache_key(&able(), &RenderRequest { output: Output::Png, ..request() }),
        cache_key(&able(), &RenderRequest { options: engine("neato"), ..request() }),
        cache_key(&able(), &RenderRequest { options: engine("dot"), ..request() }),
    ];
    assert!(others.iter().all(|other| *other != key));
    // Another word for the same format draws the same picture.
    assert_eq!(cache_key(&able(), &RenderRequest { format: "DOT".into(), ..request() }), key);
}

#[test]
fn sources_and_sizes_out_of_bounds_are_refused() {
    let long = RenderRequest { source: "x".repeat(MAX_SOURCE_BYTES + 1), ..request() };
    assert!(matches!(check(&long), Err(MediaError::LongSource { .. })));
    let empty = RenderRequest { source: " \n".into(), ..request() };
    assert!(matches!(check(&empty), Err(MediaError::EmptySource)));
    let wide = RenderRequest { width: Some(MAX_SIDE + 1), ..request() };
    assert!(matches!(check(&wide), Err(MediaError::Size { side: "width", .. })));
    let flat = RenderRequest { height: Some(0), ..request() };
    assert!(matches!(check(&flat), Err(MediaError::Size { side: "height", .. })));
    assert!(check(&request()).is_ok());
}
