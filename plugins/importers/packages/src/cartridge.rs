//! IMS Common Cartridges with pages, links and assessments.

use crate::PNG;
use crate::prose::{Dice, paragraph, topic};
use crate::zip::Zip;
use std::fmt::Write as _;

#[derive(Clone, Debug)]
pub struct Cartridge {
    pub units: usize,
    pub seed: u64,
    /// 1.0 to 1.3.
    pub version: &'static str,
    pub rights: &'static str,
}

impl Default for Cartridge {
    fn default() -> Self {
        Self { units: 10, seed: 1, version: "1.1", rights: "CC BY-SA 4.0" }
    }
}

#[must_use]
pub fn package(cartridge: &Cartridge) -> Vec<u8> {
    let mut zip = Zip::default();
    let mut dice = Dice::new(cartridge.seed);
    let (mut items, mut resources) = (String::new(), String::new());
    let point = cartridge.version.trim_start_matches("1.");
    for unit in 0..cartridge.units {
        let number = unit + 1;
        let (page, quiz, link) = (
            format!("pages/p{number}.html"),
            format!("quiz/q{number}.xml"),
            format!("l{number}.xml"),
        );
        let _ = write!(
            items,
            "<item identifier=\"u{number}\"><title>Unit {number}: {0}</title>\
             <item identifier=\"i{number}p\" identifierref=\"r{number}p\"><title>{0}</title></item>\
             <item identifier=\"i{number}q\" identifierref=\"r{number}q\"><title>Quiz {number}</title></item>\
             <item identifier=\"i{number}l\" identifierref=\"r{number}l\"><title>More to read</title></item></item>",
            topic(unit)
        );
        let _ = write!(
            resources,
            "<resource identifier=\"r{number}p\" type=\"webcontent\" href=\"{page}\"><file href=\"{page}\"/><file href=\"pages/wheel.png\"/></resource>\
             <resource identifier=\"r{number}q\" type=\"imsqti_xmlv1p2/imscc_xmlv1p{point}/assessment\"><file href=\"{quiz}\"/></resource>\
             <resource identifier=\"r{number}l\" type=\"imswl_xmlv1p{point}\"><file href=\"{link}\"/></resource>"
        );
        zip.file(
            &page,
            format!(
                "<html><head><title>x</title></head><body><h1>{}</h1><p>{}</p><p>A <dfn>valve</dfn> opens and shuts.</p>\
                 <img src=\"wheel.png\" alt=\"A wheel\"></body></html>",
                topic(unit),
                paragraph(&mut dice, 5)
            ),
        );
        zip.file(&quiz, quiz_xml(number));
        zip.file(&link, "<webLink xmlns=\"http://www.imsglobal.org/xsd/imswl_v1p1\"><title>On governors</title><url href=\"https://example.org/governors\"/></webLink>");
    }
    zip.file("pages/wheel.png", PNG);
    let base = format!("http://www.imsglobal.org/xsd/imsccv1p{point}/imscp_v1p1");
    zip.file(
        "imsmanifest.xml",
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><manifest identifier=\"m\" xmlns=\"{base}\" xmlns:lom=\"http://ltsc.ieee.org/xsd/imsccv1p{point}/LOM/manifest\">\
             <metadata><schema>IMS Common Cartridge</schema><schemaversion>{}.0</schemaversion><lom:lom><lom:general>\
             <lom:title><lom:string language=\"en\">Engines in Units</lom:string></lom:title><lom:language>en</lom:language>\
             <lom:description><lom:string>This course explains engines.</lom:string></lom:description>\
             <lom:keyword><lom:string>engines</lom:string></lom:keyword></lom:general>\
             <lom:rights><lom:copyrightAndOtherRestrictions><lom:value>yes</lom:value></lom:copyrightAndOtherRestrictions>\
             <lom:description><lom:string>{}</lom:string></lom:description></lom:rights></lom:lom></metadata>\
             <organizations><organization identifier=\"o\" structure=\"rooted-hierarchy\"><item identifier=\"root\">{items}</item></organization></organizations>\
             <resources>{resources}</resources></manifest>",
            cartridge.version, cartridge.rights
        ),
    );
    zip.finish()
}

/// One question of each kind, as QTI 1.2 has them in a cartridge.
fn quiz_xml(number: usize) -> String {
    let label = |id: &str, text: &str| {
        format!(
            "<response_label ident=\"{id}\"><material><mattext texttype=\"text/plain\">{text}</mattext></material></response_label>"
        )
    };
    let item = |id: &str, profile: &str, prompt: &str, answers: &str, correct: &str| {
        format!(
            "<item ident=\"{id}\" title=\"{id}\"><itemmetadata><qtimetadata><qtimetadatafield><fieldlabel>cc_profile</fieldlabel><fieldentry>cc.{profile}.v0p1</fieldentry></qtimetadatafield>\
             <qtimetadatafield><fieldlabel>cc_weighting</fieldlabel><fieldentry>2</fieldentry></qtimetadatafield></qtimetadata></itemmetadata>\
             <presentation><material><mattext texttype=\"text/html\">&lt;p&gt;{prompt}&lt;/p&gt;</mattext></material>{answers}</presentation>\
             <resprocessing><outcomes><decvar varname=\"SCORE\" vartype=\"Decimal\" maxvalue=\"100\"/></outcomes>{correct}</resprocessing>\
             <itemfeedback ident=\"correct_fb\"><material><mattext>Well done.</mattext></material></itemfeedback>\
             <itemfeedback ident=\"general_incorrect_fb\"><material><mattext>Look again.</mattext></material></itemfeedback>\
             <itemfeedback ident=\"b_fb\"><material><mattext>Not that one.</mattext></material></itemfeedback></item>"
        )
    };
    let right = |condition: &str| {
        format!(
            "<respcondition continue=\"Yes\"><conditionvar><varequal respident=\"response1\">b</varequal></conditionvar><displayfeedback feedbacktype=\"Response\" linkrefid=\"b_fb\"/></respcondition>\
             <respcondition continue=\"No\"><conditionvar>{condition}</conditionvar><setvar varname=\"SCORE\" action=\"Set\">100</setvar><displayfeedback feedbacktype=\"Response\" linkrefid=\"correct_fb\"/></respcondition>\
             <respcondition><conditionvar><other/></conditionvar><displayfeedback feedbacktype=\"Response\" linkrefid=\"general_incorrect_fb\"/></respcondition>"
        )
    };
    let equal = |id: &str| format!("<varequal respident=\"response1\">{id}</varequal>");
    let choices = |cardinality: &str| {
        format!(
            "<response_lid ident=\"response1\" rcardinality=\"{cardinality}\"><render_choice>{}{}{}</render_choice></response_lid>",
            label("a", "A governor"),
            label("b", "A boiler"),
            label("c", "A &lt;b&gt;spring&lt;/b&gt;")
        )
    };
    let truth = format!(
        "<response_lid ident=\"response1\" rcardinality=\"Single\"><render_choice>{}{}</render_choice></response_lid>",
        label("true", "True"),
        label("false", "False")
    );
    let text =
        "<response_str ident=\"response1\" rcardinality=\"Single\"><render_fib/></response_str>";
    let several = format!("<and>{}<not>{}</not>{}</and>", equal("a"), equal("b"), equal("c"));
    let questions = [
        item(
            "one",
            "multiple_choice",
            "What keeps the speed?",
            &choices("Single"),
            &right(&equal("a")),
        ),
        item("many", "multiple_response", "What moves?", &choices("Multiple"), &right(&several)),
        item("truth", "true_false", "Steam is hot.", &truth, &right(&equal("true"))),
        item("gap", "fib", "Water boils to ...", text, &right(&equal("steam"))),
        item("essay", "essay", "Tell of a wheel.", text, ""),
    ];
    format!(
        "<?xml version=\"1.0\"?><questestinterop xmlns=\"http://www.imsglobal.org/xsd/ims_qtiasiv1p2\"><assessment ident=\"a{number}\" title=\"Quiz {number}\"><section ident=\"s\">{}</section></assessment></questestinterop>",
        questions.concat()
    )
}

/// One question as QTI 2.1 has it.
#[must_use]
pub fn qti21_item() -> String {
    "<assessmentItem xmlns=\"http://www.imsglobal.org/xsd/imsqti_v2p1\" identifier=\"q21\" title=\"Speed\" adaptive=\"false\" timeDependent=\"false\">\
     <responseDeclaration identifier=\"R\" cardinality=\"single\" baseType=\"identifier\"><correctResponse><value>B</value></correctResponse></responseDeclaration>\
     <itemBody><p>Think of an engine.</p><choiceInteraction responseIdentifier=\"R\" shuffle=\"false\" maxChoices=\"1\"><prompt>What limits its speed?</prompt>\
     <simpleChoice identifier=\"A\">Its colour</simpleChoice><simpleChoice identifier=\"B\">Its governor</simpleChoice></choiceInteraction></itemBody></assessmentItem>"
        .to_owned()
}
