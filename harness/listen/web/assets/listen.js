/* Fills the page of a session while its dials go on. Everything it puts there was escaped by the server. */
(() => {
  const dials = document.getElementById("dials");
  if (!dials || !window.EventSource) return;
  const none = document.getElementById("none");

  const cardOf = ({ dial, card }) => {
    const known = document.getElementById(`dial-${dial}`);
    if (known) return known;
    dials.insertAdjacentHTML("afterbegin", card);
    return dials.firstElementChild;
  };

  const stream = new EventSource(dials.dataset.events);
  stream.onopen = () => {
    document.getElementById("live").hidden = false;
  };
  stream.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    cardOf(event).querySelector(`.${event.place}`).insertAdjacentHTML("beforeend", event.item);
    none.hidden = true;
  };
  stream.addEventListener("state", ({ data }) => {
    for (const [id, markup] of Object.entries(JSON.parse(data))) {
      const part = document.getElementById(id);
      if (part.dataset.text === markup) continue;
      // What the reader has opened stays open.
      const open = part.querySelector("details")?.open;
      part.innerHTML = markup;
      part.dataset.text = markup;
      const details = part.querySelector("details");
      if (open && details) details.open = true;
    }
  });
})();
