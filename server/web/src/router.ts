import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { mayDuty, onSessionEnd, restore } from '@/state/session'

declare module 'vue-router' {
  interface RouteMeta {
    title: string // key of a message
    open?: boolean // needs no login
    duty?: boolean // only who may see people's duty
  }
}

const routes: RouteRecordRaw[] = [
  { path: '/', redirect: '/cases' },
  { path: '/login', name: 'login', component: () => import('@/pages/LoginPage.vue'), meta: { title: 'login.title', open: true } },
  { path: '/cases', name: 'cases', component: () => import('@/pages/CaseListPage.vue'), meta: { title: 'nav.cases' } },
  { path: '/cases/:id', name: 'case', component: () => import('@/pages/CasePage.vue'), props: true, meta: { title: 'nav.case' } },
  {
    path: '/duty/:login?',
    name: 'duty',
    component: () => import('@/pages/DutyPage.vue'),
    meta: { title: 'nav.duty', duty: true },
  },
  {
    path: '/devices',
    name: 'devices',
    component: () => import('@/pages/DevicesPage.vue'),
    meta: { title: 'nav.devices', duty: true },
  },
  {
    path: '/:rest(.*)*',
    name: 'missing',
    component: () => import('@/pages/MissingPage.vue'),
    meta: { title: 'missing.title', open: true },
  },
]

export const router = createRouter({
  history: createWebHistory(),
  routes,
  scrollBehavior: (_to, from, saved) => saved ?? (from.name === _to.name ? false : { top: 0 }),
})

router.beforeEach(async (to) => {
  let known = false
  try {
    known = await restore()
  } catch {
    // The server does not answer: the shell says so and offers to try again.
    return to.meta.open === true ? true : undefined
  }
  if (to.name === 'login') return known ? safeTarget(to.query['to']) : true
  if (to.meta.open === true) return true
  if (!known) return { name: 'login', query: to.fullPath === '/cases' ? {} : { to: to.fullPath } }
  if (to.meta.duty === true && !mayDuty.value) return { name: 'cases' }
  return true
})

// Only a path of these pages: an address of another site must not be a target.
export function safeTarget(to: unknown): string {
  return typeof to === 'string' && /^\/(?![/\\])/.test(to) && !to.startsWith('/login') ? to : '/cases'
}

onSessionEnd(() => {
  const to = router.currentRoute.value
  if (to.name !== 'login') void router.replace({ name: 'login', query: { to: to.fullPath } })
})
