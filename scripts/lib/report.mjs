// A reporter of node --test: a line for each test, with the file that TAP does not tell.
export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const state = data.skip !== undefined || data.todo !== undefined ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed'
    yield JSON.stringify({ file: data.file, name: data.name, state }) + '\n'
  }
}
