import { readonly, ref } from 'vue'

const query = window.matchMedia('(max-width: 819px)')
const isNarrow = ref(query.matches)
query.addEventListener('change', (event) => (isNarrow.value = event.matches))

// The same width as in styles/base.css.
export const narrow = readonly(isNarrow)
