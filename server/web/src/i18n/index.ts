import { createI18n } from 'vue-i18n'
import type { Language } from 'element-plus/es/locale'
import { shallowRef } from 'vue'
import elementEn from 'element-plus/es/locale/lang/en'
import elementZh from 'element-plus/es/locale/lang/zh-cn'
import zhCN from './zh-CN.json'

export const locales = ['zh-CN', 'en'] as const
export type Locale = (typeof locales)[number]

export const i18n = createI18n({
  legacy: false,
  locale: 'zh-CN',
  fallbackLocale: 'zh-CN',
  missingWarn: false,
  fallbackWarn: false,
  messages: { 'zh-CN': zhCN },
})

const element = shallowRef<Language>(elementZh)
export const elementLocale = element

const storageKey = 'gridward.locale'

export async function setLocale(locale: Locale): Promise<void> {
  if (locale === 'en') {
    const messages = await import('./en.json')
    i18n.global.setLocaleMessage('en' as 'zh-CN', messages.default)
    element.value = elementEn
  } else {
    element.value = elementZh
  }
  i18n.global.locale.value = locale as 'zh-CN'
  document.documentElement.lang = locale
  try {
    localStorage.setItem(storageKey, locale)
  } catch {
    // A browser that keeps nothing still shows the language chosen.
  }
}

export function savedLocale(): Locale {
  try {
    return localStorage.getItem(storageKey) === 'en' ? 'en' : 'zh-CN'
  } catch {
    return 'zh-CN'
  }
}
