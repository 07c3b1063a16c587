// What the map really draws, asked of the browser's own geometry in pixels of the screen: a label proves nothing.

// Whether the middle of each pin lies inside the outline of the own grid as it is drawn.
export function pinsInside(page, pin) {
  return page.evaluate((selector) => {
    const outline = document.querySelector('[data-testid=map] path.own-grid')
    const toOutline = outline.getScreenCTM().inverse()
    return [...document.querySelectorAll(`[data-testid=map] ${selector}`)].map((e) => {
      const box = e.getBoundingClientRect()
      return outline.isPointInFill(new DOMPoint(box.x + box.width / 2, box.y + box.height / 2).matrixTransform(toOutline))
    })
  }, pin)
}

// Each drawn line: how long it is in pixels, and how many of 100 places along it lie in the drawn outline.
export function linesInside(page, line) {
  return page.evaluate((selector) => {
    const outline = document.querySelector('[data-testid=map] path.own-grid')
    const toOutline = outline.getScreenCTM().inverse()
    return [...document.querySelectorAll(`[data-testid=map] ${selector}`)].map((path) => {
      const length = path.getTotalLength()
      const toScreen = path.getScreenCTM()
      const places = Array.from({ length: 100 }, (_, i) => path.getPointAtLength((length * i) / 99))
      const inside = places.filter((p) => outline.isPointInFill(new DOMPoint(p.x, p.y).matrixTransform(toScreen).matrixTransform(toOutline)))
      return { length, inside: inside.length }
    })
  }, line)
}
