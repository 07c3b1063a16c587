// A person of the town center or a unit, by the HTTP API alone.
export class Person {
  static async logIn(url, { login, password }) {
    const person = new Person()
    person.url = url
    const response = await fetch(`${url}/api/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Gridward': '1' },
      body: JSON.stringify({ login, password }),
    })
    if (!response.ok) throw new Error(`login ${login}: ${response.status} ${await response.text()}`)
    person.cookie = response.headers.get('set-cookie').split(';')[0]
    return person
  }
  async call(path, body) {
    const response = await fetch(`${this.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { Cookie: this.cookie, 'X-Gridward': '1', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response
  }
  async get(path) {
    return (await this.call(path)).json()
  }
  async bytes(path) {
    return Buffer.from(await (await this.call(path)).arrayBuffer())
  }
  // On the case as it stands now. What is no note is a field.
  async act(id, action, { note = '', ...fields } = {}) {
    const { version } = await this.get(`/api/cases/${id}`)
    return (await this.call(`/api/cases/${id}/actions`, { action, version, note, fields })).json()
  }
  // How many cases have this text.
  async countOf(text) {
    const { cases } = await this.get(`/api/cases?q=${encodeURIComponent(text)}&limit=50`)
    return cases.filter((row) => row.text === text).length
  }
}
