const box = document.querySelector("#search");
const operations = [...document.querySelectorAll("details.operation")].map((element) => ({
  element,
  text: element.textContent.toLowerCase(),
}));
box.hidden = false;
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const { element, text } of operations) {
    element.hidden = !words.every((word) => text.includes(word));
  }
  for (const section of document.querySelectorAll("section.area")) {
    section.hidden = !section.querySelector("details.operation:not([hidden])");
  }
});
const open = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
};
addEventListener("hashchange", open);
open();
