// Polls until the answer is truthy. A throw counts as "not yet" and is told when time is up.
export async function until(what, probe, timeoutMs = 20_000, everyMs = 100) {
  const end = Date.now() + timeoutMs
  let last = null
  for (;;) {
    try {
      const answer = await probe()
      if (answer) return answer
      last = null
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}${last === null ? '' : `: ${last.message}`}`)
    await new Promise((done) => setTimeout(done, everyMs))
  }
}
