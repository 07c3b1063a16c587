// What pages say with messages, numbers and times together.
import { useI18n } from 'vue-i18n'
import { ApiError } from '@/api/client'
import { now } from '@/state/now'
import { zone } from '@/state/session'
import { agoMessage, fullStamp, hourMinute, spanMessage, stamp } from '@/lib/time'

export interface ErrorText {
  title: string
  field: string
  detail: string
}

export function useText() {
  const { t, te, locale } = useI18n()

  const spanText = (ms: number) => {
    const message = spanMessage(ms)
    return t(message.key, message.params)
  }
  const stampText = (ms: number) => stamp(ms, now.value, zone.value)
  const agoText = (ms: number) => {
    const message = agoMessage(ms, now.value)
    return message === null ? stampText(ms) : t(message.key, message.params)
  }
  const fullText = (ms: number) => fullStamp(ms, zone.value)
  const clockText = (ms: number) => hourMinute(ms, zone.value)

  // The server's words are Chinese; in another language the name of the error chooses ours.
  // What it says beside that is English and for who reads logs: a Chinese page shows it only where it has no words of its own.
  const errorText = (error: unknown): ErrorText => {
    if (!(error instanceof ApiError)) return { title: t('problem.unexpected'), field: '', detail: '' }
    if (error.kind !== 'problem') return { title: t(`problem.${error.kind}`), field: '', detail: '' }
    const key = `error.${error.code}`
    const title =
      error.code !== '' && te(key)
        ? t(key)
        : error.title !== ''
          ? error.title
          : t('problem.status', { status: error.status })
    const refusedKey = `refused.${error.code}.${error.field}`
    if (te(refusedKey)) return { title: t(refusedKey), field: '', detail: '' }
    const fieldKey = `field.${error.field}`
    return {
      title,
      field: te(fieldKey) ? t(fieldKey) : '',
      detail: locale.value === 'en' || !te(key) ? error.detail : '',
    }
  }
  const errorLine = (error: unknown) => {
    const text = errorText(error)
    const head = text.field === '' ? text.title : t('problem.withField', { title: text.title, field: text.field })
    return text.detail === '' ? head : t('problem.withDetail', { head, detail: text.detail })
  }

  return { t, te, locale, spanText, stampText, agoText, fullText, clockText, errorText, errorLine }
}
