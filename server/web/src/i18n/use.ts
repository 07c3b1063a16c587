// What pages say with messages, numbers and times together.
import { useI18n } from 'vue-i18n'
import { ApiError } from '@/api/client'
import { now } from '@/state/now'
import { stageTitle, stepTitle, zone } from '@/state/session'
import { agoMessage, fullStamp, hourMinute, spanMessage, stamp } from '@/lib/time'

export interface ErrorText {
  title: string
  field: string
  detail: string
}

// "fields.assisting_units[2]": the field as a form knows it.
export function plainField(field: string): string {
  return field.replace(/^fields\./, '').replace(/\[\d+\]$/, '')
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
    const name = plainField(error.field)
    const refusedKey = `refused.${error.code}.${name}`
    if (te(refusedKey)) return { title: t(refusedKey), field: '', detail: '' }
    const fieldKey = `field.${name}`
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

  // Titles are the profile's, in its language; for the common ones there are our own words in another.
  const titled = (key: string, title: string) => (locale.value !== 'zh-CN' && te(key) ? t(key) : title)
  const stageText = (process: string, stage: string) => titled(`stage.${stage}`, stageTitle(process, stage))
  const stepText = (process: string, step: string) => titled(`step.${step}`, stepTitle(process, step))

  return { t, te, locale, stageText, stepText, spanText, stampText, agoText, fullText, clockText, errorText, errorLine }
}
