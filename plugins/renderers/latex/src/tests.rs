//! Formulas in, pictures and faults out.

use crate::colour::Colour;
use crate::fault::Fault;
use crate::formula::{Drawing, MAX_SOURCE_BYTES, check, draw};
use crate::request::{Options, colour, font_pixels};
use drawing::{Bounds, Place};

/// Frames that are not optimised take four times as much as those in the host's 512 KiB.
const GUEST_STACK_BYTES: usize = 4 * 512 * 1024;

fn drawn(source: &str, options: &Options) -> Drawing {
    draw(source, options).unwrap_or_else(|fault| panic!("{source}: {fault}"))
}

fn plain(source: &str) -> Drawing {
    drawn(source, &Options::default())
}

fn fault(source: &str) -> (Option<(u32, u32)>, String) {
    match draw(source, &Options::default()) {
        Err(Fault::Syntax { place, message }) => {
            (place.map(|Place { line, column }| (line, column)), message)
        }
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn the_quadratic_formula_is_drawn_as_paths_alone() {
    let drawing = plain(r"x = \frac{-b \pm \sqrt{b^2-4ac}}{2a}");
    assert!(drawing.svg.matches("<path").count() >= 12, "{}", drawing.svg);
    assert!(!drawing.svg.contains("<text") && !drawing.svg.contains("href"));
    assert_eq!(drawing.warnings, []);
    assert!((100..250).contains(&drawing.pixels.width), "{:?}", drawing.pixels);
}

#[test]
fn what_a_schoolbook_holds_is_drawn_whole() {
    for source in [
        r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}^{-1}",
        r"\begin{cases} x & x \ge 0 \\ -x & \text{otherwise} \end{cases}",
        r"\begin{aligned} a &= b + c \\ &= d \end{aligned}",
        r"\begin{bmatrix} 1 & 0 & \cdots \\ 0 & 1 & \ddots \end{bmatrix}",
        r"\int_{-\infty}^{\infty} e^{-x^2}\,dx = \sqrt{\pi}",
        r"\sum_{n=1}^\infty \frac{1}{n^2} = \frac{\pi^2}{6}",
        r"\lim_{h \to 0} \frac{f(x+h)-f(x)}{h}",
        r"\ce{2H2 + O2 -> 2H2O}",
        r"\left\lfloor \frac{\mathbb{R}}{\mathcal{L}} \right\rfloor",
        r"\overbrace{a+b}^{n} \underbrace{c}_{\text{two}} \widehat{xyz} \vec{v}",
        r"\textcolor{red}{\alpha} + \boxed{\mathfrak{g}} \xrightarrow[b]{a} \nabla\times\mathbf{B}",
        r"\newcommand{\RR}{\mathbb{R}} f: \RR \to \R % a comment",
        r"\tag{3} \oiint \hbar \binom{n}{k} \not= \operatorname{rank} A",
    ] {
        assert_eq!(plain(source).warnings, [], "{source}");
        assert_eq!(check(source), [], "{source}");
    }
}

#[test]
fn an_unknown_command_is_named_with_its_place_and_its_neighbour() {
    let (place, message) = fault("a + b\n  + \\frax{1}{2}");
    assert_eq!(place, Some((2, 5)));
    assert_eq!(message, r"there is no command `\frax`; is `\frac` meant?");
    assert_eq!(fault(r"ü \nosuchthing").0, Some((1, 3)));
}

#[test]
fn a_fault_between_dollars_is_found_where_it_stands() {
    for (source, column) in [(r"$x + \nosuch$", 6), (r"  x + \nosuch", 7), (r"$$ a ^ ^ b $$", 6)] {
        let (place, message) = fault(source);
        assert_eq!(place, Some((1, column)), "{source}: {message}");
    }
    assert_eq!(plain("$x^2$").pixels, plain("x^2").pixels);
}

#[test]
fn katexs_shades_have_their_names() {
    for (source, colour) in [
        (r"\blueD{x}", "#11accd"),
        (r"$\maroonE{x} + y$", "#9e034e"),
        (r"\grayI x", "#21242c"),
        (r"\kaGreen{x}", "#71b307"),
    ] {
        assert!(plain(source).svg.contains(colour), "{source}");
    }
    let (_, message) = fault(r"\mintD{x}");
    assert!(message.contains(r"`\mintD`"), "{message}");
}

#[test]
fn a_negative_space_alone_is_an_empty_picture() {
    for source in [r"\negmedspace", r"\negthickspace", r"\!"] {
        let drawing = plain(source);
        assert!(drawing.pixels.width >= 1, "{}", drawing.svg);
    }
}

#[test]
fn unbalanced_braces_are_found_where_they_open() {
    let (place, message) = fault("\\frac{1}{2 + \n \\{ % }\n x");
    assert_eq!(place, Some((1, 9)));
    assert!(message.contains("never closed"), "{message}");
    assert_eq!(fault("a} + b").0, Some((1, 2)));
    assert_eq!(fault(r"\left( a + b").0, Some((1, 13)));
}

#[test]
fn other_faults_have_a_place_too() {
    for (source, line, column) in [
        (r"x^2^3", 1, 4),
        (r"\begin{matrixx} a \end{matrixx}", 1, 8),
        ("\\begin{matrix}\n a \\end{pmatrix}", 2, 4),
        (r"\frac{1}", 1, 9),
        (r"\sqrt[3", 1, 8),
        ("", 1, 1),
        ("  \n", 1, 1),
    ] {
        let (place, message) = fault(source);
        assert_eq!(place, Some((line, column)), "{source}: {message}");
    }
}

#[test]
fn a_formula_in_a_line_of_text_is_lower_than_one_on_its_own() {
    let source = r"\sum_{i=1}^n \frac{1}{i}";
    let inline = drawn(source, &Options { display: false, ..Options::default() });
    assert!(inline.pixels.height < plain(source).pixels.height);
}

#[test]
fn the_font_size_scales_the_picture() {
    let large = drawn("E = mc^2", &Options { font_pixels: 36.0, ..Options::default() });
    let small = plain("E = mc^2");
    assert!(large.pixels.width.abs_diff(small.pixels.width * 2) <= 1);
    assert!(matches!(font_pixels("5"), Err(Fault::Option { name: "fontSize", .. })));
    assert!(matches!(font_pixels("NaN"), Err(Fault::Option { .. })));
    assert_eq!(font_pixels("200"), Ok(200.0));
}

#[test]
fn colours_are_numbers_or_names_and_an_authors_own_stay() {
    assert_eq!(Colour::parse("#f80"), Some(Colour::new(0xff, 0x88, 0)));
    assert_eq!(Colour::parse("RebeccaPurple"), Some(Colour::new(0x66, 0x33, 0x99)));
    for wrong in ["#ff", "#1234567", "#+12", "notacolour", "", "#ééé"] {
        assert!(matches!(colour(wrong), Err(Fault::Option { name: "color", .. })), "{wrong}");
    }
    let options = Options { colour: Colour::new(0, 0x80, 0), ..Options::default() };
    let drawing = drawn(r"a \textcolor{#ff0000}{b}", &options);
    assert!(drawing.svg.contains("#008000") && drawing.svg.contains("#ff0000"));
}

#[test]
fn the_picture_fits_the_page_that_was_asked_for() {
    let bounds = Bounds { width: Some(300), height: Some(50) };
    let drawing = drawn(r"\frac{a}{b}", &Options { bounds, ..Options::default() });
    assert_eq!(drawing.pixels.height, 50);
    assert!(drawing.pixels.width < 50);
}

#[test]
fn a_character_without_a_glyph_is_said_and_drawn_as_a_box() {
    let drawing = plain(r"\text{質} + x");
    assert_eq!(drawing.warnings, [Fault::MissingGlyph('質')]);
    assert!(drawing.svg.contains("<rect"));
}

#[test]
fn deep_nesting_is_a_fault_and_no_overflow_of_a_guests_stack() {
    let sources = [
        format!("{}x{}", "{".repeat(8_000), "}".repeat(8_000)),
        format!("{}x{}", r"\frac{1}{".repeat(1_500), "}".repeat(1_500)),
        format!("{}x{}", r"\sqrt{".repeat(2_000), "}".repeat(2_000)),
        format!("{}x{}", r"\left(".repeat(1_100), r"\right)".repeat(1_100)),
        format!("x{}", "^{x".repeat(5_000)),
        r"\def\a{\a\a}\a".into(),
        format!("{}{}", r"\begin{matrix}".repeat(500), r"\end{matrix}".repeat(500)),
        "{".repeat(16_000),
    ];
    let on_a_guests_stack = move || {
        for source in &sources {
            let head = &source[..12];
            assert!(matches!(check(source)[..], [Fault::Syntax { .. }]), "{head}");
        }
    };
    std::thread::Builder::new()
        .stack_size(GUEST_STACK_BYTES)
        .spawn(on_a_guests_stack)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn thirty_levels_are_drawn_on_a_guests_stack() {
    let source = format!("{}x{}", r"\sqrt{".repeat(15), "}".repeat(15));
    std::thread::Builder::new()
        .stack_size(GUEST_STACK_BYTES)
        .spawn(move || plain(&source).pixels)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn a_source_that_is_too_long_is_refused() {
    let long = "x+".repeat(MAX_SOURCE_BYTES);
    assert!(matches!(check(&long)[..], [Fault::Length { .. }]));
    let letters = format!(r"\def\a{{{}}}{}", "x".repeat(60), r"\a".repeat(800));
    assert!(matches!(check(&letters)[..], [Fault::Work(_)]));
    assert_eq!(check(&"x".repeat(MAX_SOURCE_BYTES)), []);
}
