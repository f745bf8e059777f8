// Browsers refuse a worker to a page that is read from a file. The search runs in one, so that on such a page this
// stands in for it: the worker's script runs in a frame that is not shown, and messages are handed to and fro.
if (location.protocol === "file:") {
  // As a worker gets it: a copy, and later.
  const deliver = (to, data) => {
    const copy = structuredClone(data);
    setTimeout(() => to?.onmessage?.({ data: copy }));
  };

  window.Worker = class {
    constructor(url) {
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.title = "search";
      document.body.append(this.frame);
      const scope = this.frame.contentWindow;
      scope.postMessage = (data) => deliver(this, data);
      const script = scope.document.createElement("script");
      script.src = new URL(url, document.baseURI).href;
      script.onerror = () => this.onerror?.(new Event("error"));
      script.onload = () => {
        for (const data of this.waiting) this.hand(data);
        this.waiting = null;
      };
      scope.document.body.append(script);
    }

    postMessage(data) {
      if (this.waiting) this.waiting.push(data);
      else this.hand(data);
    }

    hand(data) {
      deliver(this.frame.contentWindow, data);
    }

    terminate() {
      this.frame.remove();
    }
  };
}
