import { createApp } from 'vue'
import './styles/element'
import './styles/base.css'
import App from './App.vue'
import { i18n, savedLocale, setLocale } from './i18n'
import { router } from './router'

async function start(): Promise<void> {
  const locale = savedLocale()
  if (locale !== 'zh-CN') await setLocale(locale).catch(() => undefined)
  createApp(App).use(i18n).use(router).mount('#app')
}
void start()
