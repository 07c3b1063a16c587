// Short messages that go by themselves; errors stay long enough to be read.
import { ElMessage } from 'element-plus/es/components/message/index'

export const tell = {
  done: (message: string) => ElMessage({ type: 'success', message, duration: 2500, grouping: true }),
  error: (message: string) => ElMessage({ type: 'error', message, duration: 8000, showClose: true, grouping: true }),
}
